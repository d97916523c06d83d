/**
 * Charts as SVG: bars and lines, with a title, axes with units, and a legend. Colours follow the reader's light or dark
 * theme, and are told apart without colour too: lines by dashes, bars by their names.
 */

/** A figure of a bar chart, with its spread. */
export interface Bar {
  readonly label: string
  readonly value: number
  readonly low?: number | undefined
  readonly high?: number | undefined
  /** Which colour it has; names of the legend. */
  readonly group: string
}

/** A line of a line chart. */
export interface Line {
  readonly label: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

/** What every chart says. */
export interface Words {
  readonly title: string
  /** What is measured and in which unit, such as `ms a turn`; values are positive, the scale is logarithmic. */
  readonly unit: string
  /** How to read it, in a line below the title. */
  readonly note: string
}

const light = ["#0b6bcb", "#c2410c", "#15803d", "#7e22ce", "#b45309", "#be123c", "#0f766e", "#4b5563"]
const dark = ["#6cb6ff", "#ff9b5e", "#5fd38d", "#d2a8ff", "#f2c14e", "#ff8fa3", "#5eead4", "#b6bec9"]
/** One less than colours, so that both together repeat late. */
const dashes = ["", "7 3", "2 3", "10 3 2 3", "4 4", "1 4", "12 4"]

const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-size: 16px; font-weight: 600 } .note { fill: #57606a }
.back { fill: #ffffff } .grid { stroke: #d0d7de } .axis { stroke: #57606a } .spread { stroke: #1f2328 }
${light.map((colour, i) => `.f${i} { fill: ${colour} } .s${i} { stroke: ${colour} }`).join(" ")}
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .note { fill: #9da7b3 } .back { fill: #0d1117 } .grid { stroke: #30363d } .axis { stroke: #9da7b3 } .spread { stroke: #e6edf3 }
${dark.map((colour, i) => `.f${i} { fill: ${colour} } .s${i} { stroke: ${colour} }`).join(" ")}
}`

const escaped = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;")

const at = (n: number): string => String(Math.round(n * 10) / 10)

/** A figure as people write it: three digits, thousands apart. */
export const figure = (value: number): string => {
  if (value >= 100) return Math.round(value).toLocaleString("en").replace(/,/g, "\u202f")
  return String(value >= 10 ? Math.round(value * 10) / 10 : Number(value.toPrecision(2)))
}

/** The powers of ten around some values. */
const decades = (values: ReadonlyArray<number>): readonly [number, number] => {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value))
  if (positive.length === 0) throw new RangeError("a chart needs a value above 0")
  const low = Math.floor(Math.log10(Math.min(...positive)))
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive))))]
}

const text = (x: number, y: number, words: string, more = ""): string =>
  `<text x="${at(x)}" y="${at(y)}"${more}>${escaped(words)}</text>`

const line = (x1: number, y1: number, x2: number, y2: number, name: string): string =>
  `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" class="${name}"/>`

const page = (width: number, height: number, { note, title }: Words, parts: ReadonlyArray<string>): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" class="back"/>`,
    text(16, 26, title, ' class="title"'),
    text(16, 46, note, ' class="note"'),
    ...parts,
    "</svg>\n"
  ].join("\n")

const width = 860
const right = 110

/**
 * Horizontal bars on a logarithmic scale, in the order given. Throws a `RangeError` without a value above 0.
 */
export const bars = (words: Words, all: ReadonlyArray<Bar>): string => {
  const left = 40 + 6.6 * Math.max(...all.map(({ label }) => label.length))
  const groups = [...new Set(all.map(({ group }) => group))]
  const [low, high] = decades(all.flatMap(({ high, low, value }) => [value, low ?? value, high ?? value]))
  const top = 90
  const row = 24
  const bottom = top + row * all.length
  const x = (value: number) => left + ((Math.log10(value) - low) / (high - low)) * (width - right - left)
  const parts: Array<string> = []
  groups.forEach((group, i) => {
    parts.push(`<rect x="${16 + i * 190}" y="60" width="12" height="12" class="f${i % light.length}"/>`)
    parts.push(text(34 + i * 190, 70.5, group))
  })
  for (let power = low; power <= high; power++) {
    parts.push(line(x(10 ** power), top - 4, x(10 ** power), bottom, "grid"))
    parts.push(text(x(10 ** power), bottom + 16, figure(10 ** power), ' text-anchor="middle"'))
  }
  parts.push(text((left + width - right) / 2, bottom + 34, words.unit, ' text-anchor="middle" class="note"'))
  all.forEach((bar, i) => {
    const y = top + row * i
    const end = x(bar.value)
    const begin = x(10 ** low)
    parts.push(text(left - 8, y + 14, bar.label, ' text-anchor="end"'))
    parts.push(
      `<rect x="${at(begin)}" y="${y + 3}" width="${at(Math.max(1, end - begin))}" height="${row - 8}" class="f${groups.indexOf(bar.group) % light.length}"><title>${escaped(`${bar.label}: ${figure(bar.value)} ${words.unit}`)}</title></rect>`
    )
    const last = Math.max(end, x(bar.high ?? bar.value))
    if (bar.low !== undefined && bar.high !== undefined) {
      parts.push(line(x(bar.low), y + row / 2 - 1, x(bar.high), y + row / 2 - 1, "spread"))
    }
    parts.push(text(last + 6, y + 15, figure(bar.value)))
  })
  return page(width, bottom + 48, words, parts)
}

/**
 * Lines over a linear scale from 0, heights on a logarithmic one, a legend below. Throws a `RangeError` without a value
 * above 0.
 */
export const lines = (words: Words & { readonly across: string }, all: ReadonlyArray<Line>): string => {
  const left = 70
  const top = 66
  const bottom = 380
  const [low, high] = decades(all.flatMap(({ points }) => points.map(([, y]) => y)))
  const far = Math.max(...all.flatMap(({ points }) => points.map(([x]) => x)))
  const x = (value: number) => left + (value / far) * (width - 40 - left)
  const y = (value: number) => bottom - ((Math.log10(value) - low) / (high - low)) * (bottom - top)
  const parts: Array<string> = []
  for (let power = low; power <= high; power++) {
    parts.push(line(left, y(10 ** power), width - 40, y(10 ** power), "grid"))
    parts.push(text(left - 8, y(10 ** power) + 4, figure(10 ** power), ' text-anchor="end"'))
  }
  for (let i = 0; i <= 4; i++) {
    parts.push(text(x((far * i) / 4), bottom + 18, figure((far * i) / 4), ' text-anchor="middle"'))
  }
  parts.push(line(left, bottom, width - 40, bottom, "axis"))
  parts.push(text((left + width - 40) / 2, bottom + 36, words.across, ' text-anchor="middle" class="note"'))
  parts.push(
    `<text transform="translate(18 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle" class="note">${escaped(words.unit)}</text>`
  )
  all.forEach(({ label, points }, i) => {
    const look = `class="s${i % light.length}" stroke-width="2" fill="none"${dashes[i % dashes.length] === "" ? "" : ` stroke-dasharray="${dashes[i % dashes.length]}"`}`
    const path = points.map(([a, b]) => `${at(x(a))},${at(y(b))}`).join(" ")
    parts.push(`<polyline points="${path}" ${look}><title>${escaped(label)}</title></polyline>`)
    const column = 16 + (i % 3) * 280
    const row = bottom + 62 + Math.floor(i / 3) * 20
    parts.push(`<line x1="${column}" y1="${row - 4}" x2="${column + 34}" y2="${row - 4}" ${look}/>`)
    parts.push(text(column + 42, row, label))
  })
  return page(width, bottom + 62 + Math.ceil(all.length / 3) * 20, words, parts)
}
