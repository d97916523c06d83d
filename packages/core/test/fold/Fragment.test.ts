import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Fragment from "../../src/fold/Fragment.js"
import { charactersTouched } from "./Work.js"

const yes = (text: string) => expect(Fragment.isContextualUser(text), text).toBe(true)
const no = (text: string) => expect(Fragment.isContextualUser(text), text).toBe(false)

const tags = [
  "environment_context",
  "skill",
  "user_shell_command",
  "turn_aborted",
  "subagent_notification",
  "recommended_plugins",
  "agent_message_board_notification"
]

const spaces = ["", " ", "\n\t", "\r\n", "\u0085", "\u00a0", "\u2028", "\u3000"]

const whole = [
  ...tags.map((tag) => `<${tag}>x</${tag}>`),
  "# AGENTS.md instructions for /tmp\n\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>",
  "<external_editor>x</external_editor>",
  `<codex_internal_context source="goal">x</codex_internal_context>`,
  "<goal_context>x</goal_context>",
  `<hook_prompt hook_run_id="run-1">x</hook_prompt>`,
  "Warning: The maximum number of unified exec processes you can keep open is 60.",
  "Warning: Your account was flagged for potentially high-risk cyber activity and more",
  "Warning: apply_patch was requested via exec_command. Use the apply_patch tool instead of exec_command."
]

describe("replay-semantics §0, contextual user fragments", () => {
  it.each(tags)("takes <%s> in either case", (tag) => {
    yes(`<${tag}>\n{}\n</${tag}>`)
    yes(`<${tag.toUpperCase()}></${tag}>`)
    yes(`<${tag}></${tag.toUpperCase()}>`)
    no(`<${tag}>`)
    no(`</${tag}>`)
    no(`<${tag}>x</${tag}> and words`)
    no(`words <${tag}>x</${tag}>`)
    no(`<${tag} a="b">x</${tag}>`)
    no(`<${tag} >x</${tag}>`)
    no(`<${tag}s>x</${tag}s>`)
    no(`<${tag}>x</other>`)
  })

  it("takes AGENTS.md instructions in either case", () => {
    yes("# AGENTS.md instructions for /tmp\n\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>")
    yes("# agents.MD INSTRUCTIONS</instructions>")
    no("# AGENTS.md instructions for /tmp")
    no("# AGENTS.md\n</INSTRUCTIONS>")
    no("## AGENTS.md instructions</INSTRUCTIONS>")
  })

  it.each(spaces)("does not look at white space around a fragment: %j", (space) => {
    for (const text of whole) yes(`${space}${text}${space}`)
  })

  it("does not take a byte order mark for white space", () => {
    for (const text of whole) no(`\ufeff${text}`)
  })

  it("does not fold letters beyond ASCII", () => {
    no("<\u017fkill>x</skill>")
    no("<s\u212aill>x</skill>")
  })

  it("takes <external_KEY> with any key or none", () => {
    yes("<external_>x</external_>")
    yes("<external_a></external_a>")
    yes('<external_a b="c"/\n漢<>x</external_a b="c"/\n漢<>')
    yes("<external_a>x</external_b></external_a>")
    no("<external_a>x</external_b>")
    no("<external_a>x</external_A>")
    no("<EXTERNAL_a>x</EXTERNAL_a>")
    no("<external_a>x</external_>")
    no("<external_>x</external_a>")
    no("<external_a>")
    no("<external_a")
    no("<external_a>/external_a>")
    no("<external>x</external>")
  })

  it("takes internal context with a source of lower case letters, digits and underscores", () => {
    const of = (source: string) => `<codex_internal_context source="${source}">x</codex_internal_context>`
    for (const source of ["a", "goal", "a_1", "z9_"]) yes(of(source))
    for (const source of ["", "1a", "_a", "A", "aB", "a-b", "a b", "ä", 'a" b="c']) no(of(source))
    no("<codex_internal_context>x</codex_internal_context>")
    no("<codex_internal_context source='goal'>x</codex_internal_context>")
    no(`<codex_internal_context  source="goal">x</codex_internal_context>`)
    no(`<codex_internal_context source="goal" >x</codex_internal_context>`)
    no(`<codex_internal_context source="goal">x</codex_internal_context >`)
    no(`<codex_internal_context source="goal">x`)
    no(`<codex_internal_context source="goal`)
    no(of("goal").toUpperCase())
  })

  it("takes the old goal context in its own case only", () => {
    yes("<goal_context>\nx\n</goal_context>")
    no("<GOAL_CONTEXT>x</GOAL_CONTEXT>")
    no("<goal_context>")
    no("<goal_context>x")
  })

  it("takes a hook prompt that is one XML element with a hook_run_id", () => {
    yes(`<hook_prompt hook_run_id="run-1">Retry &amp; &lt;wait&gt; &#10; &#xA;</hook_prompt>`)
    yes(`<hook_prompt hook_run_id='run "1"'>x</hook_prompt>`)
    yes(`<hook_prompt\n a="1" hook_run_id = "run-1"\tb='2' >x</hook_prompt >`)
    yes(`<hook_prompt hook_run_id="&#49;"></hook_prompt>`)
    yes(`<hook_prompt hook_run_id="run > 1">x</hook_prompt>`)
    yes(`<hook_prompt hook_run_id="run-1"><!-- <b> --><![CDATA[</hook_prompt>]]></hook_prompt>`)
  })

  it("takes no hook prompt that is not well formed, not alone, or not identified", () => {
    no("<hook_prompt>x</hook_prompt>")
    no(`<hook_prompt run_id="run-1">x</hook_prompt>`)
    no(`<hook_prompt hook_run_id="">x</hook_prompt>`)
    no(`<hook_prompt hook_run_id=" \n\t">x</hook_prompt>`)
    no(`<hook_prompt hook_run_id="&#32;&#x9;">x</hook_prompt>`)
    no(`<hook_prompt hook_run_id=run-1>x</hook_prompt>`)
    no(`<hook_prompt hook_run_id>x</hook_prompt>`)
    no(`<hook_prompt hook_run_id="run-1>x</hook_prompt>`)
    no(`<hook_prompt hook_run_id="run-1'>x</hook_prompt>`)
    no(`<hook_prompt hook_run_id="1" hook_run_id="2">x</hook_prompt>`)
    no(`<hook_prompt a="1"hook_run_id="2">x</hook_prompt>`)
    no(`<hook_prompt hook_run_id="a<b">x</hook_prompt>`)
    no(`<hook_prompts hook_run_id="run-1">x</hook_prompts>`)
    no(`<HOOK_PROMPT hook_run_id="run-1">x</HOOK_PROMPT>`)
    no(`<hook_prompt hook_run_id="run-1">x</hook_prompts>`)
    no(`<hook_prompt hook_run_id="run-1">x`)
    no(`<hook_prompt hook_run_id="run-1">a <b>c</b></hook_prompt>`)
    no(`<hook_prompt hook_run_id="run-1">a <b/></hook_prompt>`)
    no(`<hook_prompt hook_run_id="run-1">x</hook_prompt><hook_prompt hook_run_id="run-2">x</hook_prompt>`)
    no(`<hook_prompt hook_run_id="run-1">x</hook_prompt> and words`)
    no(`<hook_prompt hook_run_id="run-1">a & b</hook_prompt>`)
    no(`<hook_prompt hook_run_id="run-1">a &nbsp; b</hook_prompt>`)
    no(`<hook_prompt hook_run_id="run-1"><!-- x</hook_prompt>`)
    no(`<hook_prompt hook_run_id="run-1"`)
    no("<hook_prompt")
  })

  it("takes the three old warnings in their own case only", () => {
    yes("Warning: The maximum number of unified exec processes you can keep open is")
    yes("Warning: Your account was flagged for potentially high-risk cyber activity")
    yes("Warning: apply_patch was requested via Use the apply_patch tool instead of exec_command.")
    no("warning: The maximum number of unified exec processes you can keep open is 60")
    no("Note. Warning: Your account was flagged for potentially high-risk cyber activity")
    no("Warning: apply_patch was requested via exec_command.")
    no("Warning: apply_patch was requested via x. Use the apply_patch tool instead of exec_command. Now.")
    no("Warning: something else")
  })

  it("takes no ordinary text", () => {
    for (const text of ["", " ", "<", "#", "W", "hello", "<b>x</b>", "# A title", "Warnings"]) no(text)
  })

  it("never takes a text for its letters alone", () => {
    fc.assert(
      fc.property(fc.constantFrom(...whole), fc.nat(), fc.constantFrom("x", "<", ">", " "), (text, seed, extra) => {
        const trimmed = text.trimEnd()
        const at = seed % 6
        const broken = trimmed.slice(0, at) + extra + trimmed.slice(at)
        // White space in front stays outside; anywhere else in the opening it breaks it.
        expect(Fragment.isContextualUser(broken)).toBe(extra === " " && at === 0)
      })
    )
  })

  it("is what the registry says", () => {
    for (const text of whole) {
      expect(Fragment.isContextualUser(text, Fragment.newest), text).toBe(true)
      expect(Fragment.isContextualUser(text, Fragment.july), text).toBe(!text.includes("message_board"))
    }
    const own: Fragment.Registry = {
      user: [{ kind: "marked", start: "<own>", end: "</own>", ignoreCase: false }],
      developer: [],
      summaryIsBoundary: false
    }
    expect(Fragment.isContextualUser("<own>x</own>", own)).toBe(true)
    expect(Fragment.isContextualUser("<skill>x</skill>", own)).toBe(false)
  })

  it("lets no character count for both the start and the end", () => {
    const own: Fragment.Registry = {
      user: [{ kind: "marked", start: "--", end: "--", ignoreCase: false }],
      developer: [],
      summaryIsBoundary: false
    }
    expect(Fragment.isContextualUser("----", own)).toBe(true)
    expect(Fragment.isContextualUser("---", own)).toBe(false)
    expect(Fragment.isContextualUser("--", own)).toBe(false)
  })
})

describe("replay-semantics §0, contextual developer fragments", () => {
  const july = [
    "<permissions instructions>",
    "<model_switch>",
    "<apps_instructions>",
    "<collaboration_mode>",
    "<multi_agent_mode>",
    "<environments_instructions>",
    "<plugins_instructions>",
    "<realtime_conversation>",
    "<skills_instructions>",
    "<personality_spec>",
    "<token_budget>",
    "<context_window>",
    "<context_window_guidance>",
    "<rollout_budget>"
  ]
  const added = [
    "<tools>",
    "<persistent_mode>",
    "<multi_agent_role>",
    "<managed_developer_instructions>",
    "<git_attribution>"
  ]

  it.each([...july, ...added])("takes a text that starts with %s", (start) => {
    expect(Fragment.isContextualDeveloper(start)).toBe(true)
    expect(Fragment.isContextualDeveloper(`\n ${start.toUpperCase()}x`)).toBe(true)
    expect(Fragment.isContextualDeveloper(start.slice(0, -1))).toBe(false)
    expect(Fragment.isContextualDeveloper(`x${start}`)).toBe(false)
    expect(Fragment.isContextualDeveloper(start, Fragment.july)).toBe(july.includes(start))
  })

  it("keeps user and developer fragments apart", () => {
    for (const text of whole) expect(Fragment.isContextualDeveloper(text)).toBe(false)
    for (const text of july) expect(Fragment.isContextualUser(text)).toBe(false)
  })
})

describe("replay-semantics §0, hostile texts", () => {
  const size = 1 << 20
  const long = (unit: string) => unit.repeat(Math.ceil(size / unit.length))
  const hook = `<hook_prompt hook_run_id="1"`

  it.each<[string, string]>([
    ["white space only", long(" ")],
    ["white space, then words", `${long("\n")}x`],
    ["an opening, then white space", `<skill>${long(" ")}`],
    ["openings", long("<skill>")],
    ["keyed openings", long("<external_")],
    ["an endless key", `<external_${long("a")}`],
    ["a long key, closed", `<external_${long("a")}>x</external_${long("a")}>`],
    ["a long key, closed wrongly", `<external_${long("a")}>x</external_${long("a")}b>`],
    ["an endless source", `<codex_internal_context source="${long("a")}`],
    ["an element that never closes", `${hook}>${long("a")}`],
    ["an element full of ampersands", `${hook}>${long("&")}</hook_prompt>`],
    ["an element full of references", `${hook}>${long("&amp;")}</hook_prompt>`],
    ["an element full of comments", `${hook}>${long("<!---->")}</hook_prompt>`],
    ["an element full of open comments", `${hook}>${long("<!--")}</hook_prompt>`],
    ["an element full of closings", `${hook}>${long("</hook_prompt")}`],
    ["an endless attribute name", `<hook_prompt ${long("a")}`],
    ["an endless attribute value", `<hook_prompt a="${long("a")}`],
    ["an attribute value full of references", `<hook_prompt hook_run_id="${long("&#32;")}">x</hook_prompt>`],
    ["white space between attributes", `${hook}${long(" ")}x`],
    [
      "many attributes",
      `${hook} ${Array.from({ length: size / 16 }, (_, i) => `a${i}="&amp;"`).join(" ")}>x</hook_prompt>`
    ]
  ])("reads a text of a megabyte a fixed number of times: %s", (_, text) => {
    const touched = charactersTouched(() => Fragment.isContextualUser(text))
    expect(touched).toBeLessThan(12 * text.length)
  })

  it("looks at the beginning only of a text that does not start like a fragment", () => {
    for (const text of [long("words "), `Warn${long("x")}`, `<b>${long("x")}`, `# A title${long("x")}`]) {
      expect(charactersTouched(() => Fragment.isContextualUser(text))).toBeLessThan(2000)
      expect(charactersTouched(() => Fragment.isContextualDeveloper(text))).toBeLessThan(2000)
    }
  })
})
