/**
 * Makes samples/ from a corpus of real rollouts: picks cases and replaces the instruction texts in them by short ones,
 * string by string in the raw lines, so that every other byte stays as it was written. Where a file stands on bytes of
 * another (history_base), its offset follows. For maintainers; the corpus is not part of this repository.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import zstd from "@mongodb-js/zstd"
import { helpOr, root } from "./workspace.mjs"

const [corpus] = process.argv.slice(2)

const usage = `
Usage: node scripts/make-samples.mjs <corpus>

Writes samples/<home>/sessions anew from the corpus folder.`
helpOr(process.argv.slice(2), usage)
if (corpus === undefined) {
  process.stderr.write(`${usage.trim()}\n`)
  process.exit(2)
}

/** The cases of each home; a damaged copy is picked by what was done to it. */
const picks = {
  "0.20.0": ["exec-tools", "exec-compact"],
  "0.42.0": ["exec-compact"],
  "0.63.0": ["compact-manual", "interrupted"],
  "0.98.0": ["rewind"],
  "0.142.4": ["compact-then-rewind"],
  "0.145.0": ["fork", "subagents-v2"],
  "0.169.0": ["compact-auto", "rewind", "fork-revert", "subagents-v2", "legacy-mode", "sigkill", "compressed"],
  damaged: ["legacy-mode/torn-last-line", "steer/not-json"]
}

/** Bodies of tagged fragments whose text is the host's. The opening and closing tags stay. */
const bodies = {
  "permissions instructions": (text) =>
    text.includes("danger-full-access")
      ? "Full access."
      : text.includes("read-only")
        ? "Read only."
        : "Workspace only.",
  skills_instructions: () => "## Skills\nNone.",
  model_switch: () => "The model has changed. You are a coding agent.",
  collaboration_mode: (text) => (text.includes("Plan Mode") ? "Plan before you act." : "Act."),
  multi_agent_mode: (text) => (text.includes("no longer") ? "Work alone again." : "Agents may help you."),
  multi_agent_role: (text) => (text.includes("primary agent") ? "You lead the agents." : "You are one of the agents."),
  codex_internal_context: () => "Work on towards the goal.",
  tools: () => "More tools can be found.",
  turn_aborted: () => "The user interrupted the turn on purpose."
}

const skillsBody = "\n## Skills\nNone.\n"

const fragment = /^<([a-z_ ]+?)( [a-z]+="[^"]*")?>(\n?)([\s\S]*?)(\n?)<\/\1>$/
const agentsFile = /^(# AGENTS\.md instructions[^\n]*\n\n<INSTRUCTIONS>\n)([\s\S]*?)(\n+<\/INSTRUCTIONS>)$/

/** Texts without a tag around them: a short one for each that differs. */
const numbered = new Map()
const short = (text, kind) => {
  const known = `${kind}\0${text.trim()}`
  if (!numbered.has(known)) numbered.set(known, `${kind} (${numbered.size + 1}).`)
  return numbered.get(known)
}

/** What a string becomes, by its text and the keys that lead to it; itself when it is none of the host's. */
const replacement = (text, path) => {
  const key = path.at(-1)
  if (key === "text") {
    const tagged = fragment.exec(text)
    if (tagged !== null && bodies[tagged[1]] !== undefined) {
      const [, tag, attributes = "", before, body, after] = tagged
      return `<${tag}${attributes}>${before}${bodies[tag](body)}${after}</${tag}>`
    }
    const agents = agentsFile.exec(text)
    if (agents !== null) return `${agents[1]}${short(agents[2], "Keep to the rules")}${agents[3]}`
    if (/^You are (`\/|now a newly|an agent in a team)/.test(text)) return short(text, "You are one of several agents")
    if (path.at(-2) === "base_instructions") return "You are a coding agent in a small demo workspace."
  }
  if (key === "user_instructions" || (key === "instructions" && path.length === 2))
    return short(text, "Keep to the rules")
  if (key === "developer_instructions") return bodies.collaboration_mode(text)
  if (key === "body" && path.includes("host_skills")) return skillsBody
  if (key === "description" && (path.includes("tools") || path.includes("dynamic_tools"))) return "What it is for."
  if (path.includes("state") && path.at(-2) === "tools") return "What it is for."
  return text
}

/** The strings of a value with the keys that lead to them; positions in arrays are left out. */
const strings = function* (value, path = []) {
  if (typeof value === "string") yield [value, path]
  else if (Array.isArray(value)) for (const element of value) yield* strings(element, path)
  else if (value !== null && typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) yield* strings(inner, [...path, key])
  }
}

/** A line with the host's texts replaced. A line that is no JSON holds none, or it must not be picked. */
const rewriteLine = (line, file) => {
  let value
  try {
    value = JSON.parse(line)
  } catch {
    if (line.length > 1000) throw new Error(`${file}: a damaged line of ${line.length} characters could hold anything`)
    return line
  }
  const changes = new Map()
  for (const [text, path] of strings(value)) {
    const other = replacement(text, path)
    if (other !== text) changes.set(text, other)
    else if (text.length > 300 && path.at(-1) === "text" && value.payload?.role === "developer") {
      throw new Error(`${file}: a developer text that is not replaced: ${text.slice(0, 80)}`)
    }
  }
  let rewritten = line
  for (const [text, other] of changes) {
    if (!line.includes(JSON.stringify(text))) throw new Error(`${file}: written otherwise: ${text.slice(0, 80)}`)
    rewritten = rewritten.replaceAll(JSON.stringify(text), () => JSON.stringify(other))
  }
  return rewritten
}

/** Every rollout of a home with its sidecar, by thread or segment id. */
const homeOf = (name) => {
  const files = readdirSync(join(corpus, name, "sessions"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith(".expected.json"))
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    files.map((sidecar) => {
      const { case: of, damage } = JSON.parse(readFileSync(sidecar, "utf8"))
      const stem = sidecar.slice(0, -".expected.json".length)
      const path = readdirSync(dirname(stem))
        .map((entry) => join(dirname(stem), entry))
        .find((entry) => entry === `${stem}.jsonl` || entry === `${stem}.jsonl.zst`)
      return [stem.slice(-36), { path, pick: damage === undefined ? of : `${of}/${damage}` }]
    })
  )
}

/** The rewritten file, and where each line end of the old one is in it. */
const rewriteFile = async (id, home, done) => {
  if (done.has(id)) return done.get(id)
  const entry = home.get(id)
  if (entry === undefined) throw new Error(`No rollout for ${id}`)
  const packed = entry.path.endsWith(".zst")
  const bytes = readFileSync(entry.path)
  const text = (packed ? await zstd.decompress(bytes) : bytes).toString("utf8")
  const ends = new Map([[0, 0]])
  const out = []
  let oldEnd = 0
  let newEnd = 0
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    let rewritten = rewriteLine(line, entry.path)
    const base = out.length === 0 ? JSON.parse(line).payload?.history_base : undefined
    if (base !== undefined) {
      const under = await rewriteFile(base.thread_id, home, done)
      const offset = under.ends.get(base.end_byte_offset)
      if (offset === undefined) throw new Error(`${entry.path}: its base ends inside of a line`)
      rewritten = rewritten.replace(`"end_byte_offset":${base.end_byte_offset}`, `"end_byte_offset":${offset}`)
    }
    out.push(rewritten)
    oldEnd += Buffer.byteLength(line)
    newEnd += Buffer.byteLength(rewritten)
    ends.set(oldEnd, newEnd)
  }
  const plain = Buffer.from(out.join(""), "utf8")
  const result = { path: entry.path, pick: entry.pick, bytes: packed ? await zstd.compress(plain, 3) : plain, ends }
  done.set(id, result)
  return result
}

let total = 0
for (const [name, wanted] of Object.entries(picks)) {
  const home = homeOf(name)
  const done = new Map()
  for (const pick of wanted) {
    const ids = [...home].filter(([, entry]) => entry.pick === pick).map(([id]) => id)
    if (ids.length === 0) throw new Error(`${name} has no case ${pick}`)
    for (const id of ids) await rewriteFile(id, home, done)
  }
  rmSync(join(root, "samples", name), { recursive: true, force: true })
  for (const { path, pick, bytes } of done.values()) {
    const target = join(root, "samples", name, relative(join(corpus, name), path))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, bytes)
    total += bytes.length
    process.stdout.write(
      `${String(bytes.length).padStart(7)}  ${name}  ${pick}  ${relative(join(corpus, name), path)}\n`
    )
  }
}
process.stdout.write(`${String(total).padStart(7)}  in all\n`)
