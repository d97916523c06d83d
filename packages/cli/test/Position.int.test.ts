import { join } from "node:path"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import * as Position from "../src/Position.js"

afterAll(Home.removeAll)

const started = (turn_id: string, ordinal: number, type = "task_started"): string =>
  Home.event({ type, turn_id, model_context_window: null }, ordinal)
const completed = (turn_id: string, ordinal: number): string =>
  Home.event({ type: "task_complete", turn_id, last_agent_message: null }, ordinal)

/** Two turns, and something in front of, between and behind them. The second of a record is its ordinal. */
const first = Home.document(
  Home.meta(1),
  Home.say("before", 1),
  started("t1", 2),
  Home.say("a", 3),
  completed("t1", 4),
  Home.say("between", 5),
  started("t2", 6),
  Home.say("b", 7),
  completed("t2", 8),
  Home.say("after", 9)
)
const fork = Home.document(
  Home.meta(2, 6, { thread: 1, ordinal: 6, offset: Home.offsetOf(first, '"ordinal":6') }),
  started("t3", 7, "turn_started"),
  Home.say("c", 8)
)

let home = ""
beforeAll(() => {
  home = Home.home({ [Home.file(1)]: first, [Home.file(2)]: fork })
})

const at = (position: string, file = Home.file(1)) =>
  Effect.gen(function* () {
    const log = yield* RolloutLog.open(join(home, file))
    const cut = yield* Position.before(log, position)
    const texts: Array<string> = []
    yield* EffectiveLog.forward(cut, (decoded) => {
      if (decoded.kind === "response_item" && decoded.payload.type === "message") {
        texts.push(...decoded.payload.content.map((part) => ("text" in part ? part.text : "")))
      }
      return true
    })
    return { texts, threadId: cut.meta?.payload.id }
  })

const textsAt = async (position: string, file?: string): Promise<ReadonlyArray<string>> =>
  (await Home.run(at(position, file))).texts

describe("a whole number is a line of the file that was named, from 1", () => {
  it.each<[string, ReadonlyArray<string>]>([
    ["0", []],
    ["1", []],
    ["2", ["before"]],
    ["4", ["before", "a"]],
    ["9", ["before", "a", "between", "b"]],
    ["10", ["before", "a", "between", "b", "after"]]
  ])("line %s: the log ends behind it", async (position, expected) => {
    expect(await textsAt(position)).toEqual(expected)
  })

  it("line 0 of a fork leaves what it inherits; its other lines are its own", async () => {
    expect(await textsAt("0", Home.file(2))).toEqual(["before", "a", "between"])
    expect(await textsAt("2", Home.file(2))).toEqual(["before", "a", "between"])
    expect(await textsAt("3", Home.file(2))).toEqual(["before", "a", "between", "c"])
  })

  it.each(["11", "99999999999999999999"])("a line that is not there is refused: %s", async (position) => {
    const refused = await Home.refused(at(position))
    expect(refused).toMatchObject({
      _tag: "InvalidRequest",
      field: "--at",
      reason: expect.stringContaining("10 lines")
    })
  })
})

describe("a turn's id: the log ends with the last record before the next turn starts", () => {
  it.each<[string, string, ReadonlyArray<string>]>([
    ["t1", Home.file(1), ["before", "a", "between"]],
    ["t2", Home.file(1), ["before", "a", "between", "b", "after"]],
    ["t1", Home.file(2), ["before", "a", "between"]],
    ["t3", Home.file(2), ["before", "a", "between", "c"]]
  ])("%s in %s", async (turn, file, expected) => {
    expect(await textsAt(turn, file)).toEqual(expected)
  })

  it("a position in a base is one of the thread that was asked for", async () => {
    const position = "2026-07-20T10:00:03Z"
    expect(await Home.run(at(position, Home.file(2)))).toEqual({ texts: ["before", "a"], threadId: Home.id(2) })
    expect(await Home.run(at("t1", Home.file(2)))).toMatchObject({ threadId: Home.id(2) })
  })

  it("a turn behind the end of a base is none of the fork", async () => {
    expect(await Home.refused(at("t2", Home.file(2)))).toMatchObject({ reason: expect.stringContaining("t2") })
  })

  it("an unknown id is refused, with the way out", async () => {
    const refused = await Home.refused(at("nobody"))
    expect(refused).toMatchObject({ _tag: "InvalidRequest", field: "--at", reason: expect.stringContaining("nobody") })
    expect(refused.message).toContain("line number")
  })

  it("where no turn has an id that is said", async () => {
    const old = Home.home({ [Home.file(3)]: Home.document(Home.legacyMeta(3), Home.say("x")) })
    const refused = await Home.refused(
      Effect.flatMap(RolloutLog.open(join(old, Home.file(3))), (log) => Position.before(log, "t1"))
    )
    expect(refused.message).toContain("no recorded ids")
  })
})

describe("a time ends the log in front of the first record written later", () => {
  it.each<[string, ReadonlyArray<string>]>([
    ["2026-07-20T10:00:00Z", []],
    ["2026-07-20T10:00:00.999Z", []],
    ["2026-07-20T10:00:01Z", ["before"]],
    ["2026-07-20T10:00:05.000Z", ["before", "a", "between"]],
    ["2026-07-20T12:00:05+02:00", ["before", "a", "between"]],
    ["2026-07-20 10:00:05", ["before", "a", "between"]],
    ["2026-07-20T10:00:05", ["before", "a", "between"]],
    ["2026-07-20t10:00:05z", ["before", "a", "between"]],
    ["2026-07-20", []],
    ["2026-07-21", ["before", "a", "between", "b", "after"]],
    ["2026-07-20T10:01", ["before", "a", "between", "b", "after"]],
    ["2020-01-01T00:00:00Z", []]
  ])("%s", async (position, expected) => {
    expect(await textsAt(position)).toEqual(expected)
  })

  it("what only looks like a time is no time", async () => {
    for (const position of ["2026-13-45T00:00:00Z", "yesterday", "2026-07-20T25:00:00Z", "1e3", "-1", ""]) {
      expect(await Home.refused(at(position))).toMatchObject({ _tag: "InvalidRequest" })
    }
  })

  it("a time within what was inherited cuts there", async () => {
    expect(await textsAt("2026-07-20T10:00:01Z", Home.file(2))).toEqual(["before"])
  })
})
