/**
 * Draws the pictures of docs/concepts from the bundled samples, by what the built command says of them:
 * `node scripts/make-pictures.mjs` writes docs/concepts/*.svg.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { helpOr, root } from "./workspace.mjs"

helpOr(
  process.argv.slice(2),
  `
Usage: node scripts/make-pictures.mjs

Draws docs/concepts/*.svg from the bundled samples. Build first (npm run build).`
)

const sample = (version, name) => join(root, "samples", version, "sessions/2026/11/20", `rollout-${name}.jsonl`)
const ask = (...words) =>
  JSON.parse(
    execFileSync(process.execPath, [join(root, "packages/cli/bin/skein.js"), ...words, "--json"], { encoding: "utf8" })
  )

const quoted = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
const text = (x, y, words, more = "") => `<text x="${x}" y="${y}" ${more}>${quoted(words)}</text>`
const box = (x, y, width, height, fill, more = "") =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" ${more}/>`
const svg = (title, width, height, parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`
const save = (name, picture) => writeFileSync(join(root, "docs/concepts", name), picture)

const colours = {
  item: "#7aa6d8",
  event: "#d5d9de",
  compacted: "#d9534f",
  turn: "#f0ad4e",
  rollback: "#5b3a8e",
  other: "#9aa4ae"
}

/** Records of a thread as a row of bars: what was read of them, where the window begins, what was rolled back. */
const replay = () => {
  const file = sample("0.142.4", "2026-11-20T11-52-18-01a1f8cc-e08d-7c83-8ca7-133ec5b8ea3d")
  const lines = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
  const { prompt, recordsRead, recordsTotal, window } = ask("context", file)
  const width = 12
  const left = 20
  const kindOf = ({ payload, type }) =>
    type === "response_item"
      ? "item"
      : type === "compacted"
        ? "compacted"
        : type === "event_msg" && payload.type === "thread_rolled_back"
          ? "rollback"
          : type === "event_msg" && payload.type === "task_started"
            ? "turn"
            : type === "event_msg"
              ? "event"
              : "other"
  const parts = [text(left, 24, `${recordsTotal} records of one thread, oldest to newest`, 'font-weight="600"')]
  lines.forEach((line, i) => {
    const kind = kindOf(line)
    const height = kind === "item" ? 46 : kind === "event" || kind === "other" ? 22 : 60
    parts.push(box(left + i * width, 110 - height, width - 3, height, colours[kind]))
  })
  const from = recordsTotal - recordsRead
  const x = left + from * width
  const end = left + recordsTotal * width
  parts.push(
    `<path d="M ${end} 128 H ${x} m 6 -4 l -6 4 l 6 4" fill="none" stroke="#333"/>`,
    text(x, 148, `read from the end: ${recordsRead} records, then enough is known`),
    text(left, 172, `answer: ${prompt.length} items for the model, window ${window.number}`)
  )
  const legend = [
    ["turn", "start of a turn"],
    ["item", "item of the history"],
    ["compacted", "compaction"],
    ["rollback", "rollback"],
    ["event", "event"],
    ["other", "settings, world state"]
  ]
  legend.forEach(([kind, words], i) => {
    parts.push(box(left + i * 150, 190, 12, 12, colours[kind]), text(left + 18 + i * 150, 200, words))
  })
  save("replay.svg", svg("The records of one thread", Math.max(end + 20, 940), 216, parts))
}

const itemColours = {
  userMessage: "#f0ad4e",
  agentMessage: "#7aa6d8",
  reasoning: "#c9b7e4",
  contextCompaction: "#d9534f",
  fileChange: "#8fc79a",
  webSearch: "#8fc79a",
  commandExecution: "#8fc79a"
}

/** Turns of a thread as columns of items. */
const view = () => {
  const file = sample("0.169.0", "2026-11-20T11-54-15-01a1f8ce-a7a1-7ca0-878f-68e8960da6ce")
  const { turns } = ask("show", file)
  const parts = []
  let height = 0
  turns.forEach((turn, i) => {
    const x = 20 + i * 186
    parts.push(
      text(x, 26, `turn ${i + 1}`, 'font-weight="600"'),
      text(
        x,
        44,
        `${turn.status}, ${turn.durationMs} ms`,
        `fill="${turn.status === "completed" ? "#2e7d32" : "#b23b3b"}"`
      )
    )
    turn.items.forEach((item, k) => {
      const y = 56 + k * 34
      parts.push(box(x, y, 172, 28, itemColours[item.type] ?? colours.event, 'rx="4"'), text(x + 8, y + 18, item.type))
      height = Math.max(height, y + 48)
    })
  })
  save("view.svg", svg("The turns of one thread", 20 + turns.length * 186, height, parts))
}

/** Sections of the world state against the records that told the model of them. */
const world = () => {
  const file = sample("0.169.0", "2026-11-20T11-54-03-01a1f8ce-7ae4-7bc2-bb20-3d78948050ca")
  const { changes, state } = ask("world", file, "--changes")
  const sections = Object.keys(state)
  const left = 250
  const step = 170
  const parts = []
  changes.forEach((change, i) => {
    const x = left + i * step
    parts.push(
      text(x, 26, `line ${change.line}`, 'font-weight="600"'),
      text(x, 44, change.cause === "full" ? "all of it" : "a patch")
    )
    sections.forEach((section, k) => {
      const y = 56 + k * 26
      const operations = change.operations.filter(({ path }) => path === "" || path.split("/")[1] === section)
      if (operations.length === 0) return
      const words =
        change.cause === "full"
          ? "told"
          : operations.map(({ op, path }) => `${op} ${path.split("/").slice(2).join("/")}`)[0]
      parts.push(
        box(x, y, step - 14, 20, change.cause === "full" ? colours.item : colours.turn, 'rx="3"'),
        text(x + 8, y + 14, words)
      )
    })
  })
  sections.forEach((section, k) => {
    parts.push(text(20, 70 + k * 26, section))
  })
  save(
    "world-state.svg",
    svg("The world state of one thread", left + changes.length * step + 10, 66 + sections.length * 26, parts)
  )
}

replay()
view()
world()
