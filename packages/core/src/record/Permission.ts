/** What an agent may do: policies of approval, sandbox and file system (rollout-format §7.1). */
import * as Schema from "effect/Schema"
import { Positive } from "./Integer.js"
import { AbsolutePath } from "./Primitive.js"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"

/** When the user is asked (rollout-format §7.1); the older `on-failure` means `on-request`. */
export const ApprovalPolicy = Schema.Union(
  Schema.Literal("untrusted", "on-request", "never"),
  Schema.Struct({
    granular: Shape.struct({
      sandbox_approval: Schema.Boolean,
      rules: Schema.Boolean,
      skill_approval: Shape.defaulted(Schema.Boolean, false),
      request_permissions: Shape.defaulted(Schema.Boolean, false),
      mcp_elicitations: Schema.Boolean
    }).schema
  })
)
export type ApprovalPolicy = typeof ApprovalPolicy.Type

/** Who answers requests for approval (rollout-format §7.1); the older `guardian_subagent` means `auto_review`. */
export const ApprovalsReviewer = Schema.Literal("user", "auto_review")
export type ApprovalsReviewer = typeof ApprovalsReviewer.Type

/** Whether commands may use the network. */
export const NetworkAccess = Schema.Literal("restricted", "enabled")
export type NetworkAccess = typeof NetworkAccess.Type

/** Everything is allowed. */
export const DangerFullAccess = Shape.struct({ type: Schema.Literal("danger-full-access") })
export type DangerFullAccess = Shape.TypeOf<typeof DangerFullAccess>

/** Files may be read, not written. */
export const ReadOnly = Shape.struct({
  type: Schema.Literal("read-only"),
  network_access: Shape.elided(Schema.Boolean, false)
})
export type ReadOnly = Shape.TypeOf<typeof ReadOnly>

/** Somebody else sees to the sandbox. */
export const ExternalSandbox = Shape.struct({
  type: Schema.Literal("external-sandbox"),
  network_access: Shape.defaulted<NetworkAccess>(NetworkAccess, "restricted")
})
export type ExternalSandbox = Shape.TypeOf<typeof ExternalSandbox>

/** Files of the workspace may be written. */
export const WorkspaceWrite = Shape.struct({
  type: Schema.Literal("workspace-write"),
  writable_roots: Shape.elided(Schema.Array(AbsolutePath), []),
  network_access: Shape.defaulted(Schema.Boolean, false),
  exclude_tmpdir_env_var: Shape.defaulted(Schema.Boolean, false),
  exclude_slash_tmp: Shape.defaulted(Schema.Boolean, false)
})
export type WorkspaceWrite = Shape.TypeOf<typeof WorkspaceWrite>

/** The sandbox in its older, coarser form, kept for older readers (rollout-format §7.1). */
export type SandboxPolicy = DangerFullAccess | ReadOnly | ExternalSandbox | WorkspaceWrite
export const SandboxPolicy: Schema.Schema<SandboxPolicy> = Refined.union({
  "danger-full-access": DangerFullAccess,
  "read-only": ReadOnly,
  "external-sandbox": ExternalSandbox,
  "workspace-write": WorkspaceWrite
})

/** A place that only the running session can name (rollout-format §7.1). */
export const SpecialPath = Schema.Union(
  Schema.Struct({ kind: Schema.Literal("root") }),
  Schema.Struct({ kind: Schema.Literal("minimal") }),
  Schema.Struct({ kind: Schema.Literal("project_roots"), subpath: Shape.sparse(Schema.String) }),
  Schema.Struct({ kind: Schema.Literal("tmpdir") }),
  Schema.Struct({ kind: Schema.Literal("slash_tmp") }),
  Schema.Struct({ kind: Schema.Literal("unknown"), path: Schema.String, subpath: Shape.sparse(Schema.String) })
)
export type SpecialPath = typeof SpecialPath.Type

/** Where a file system entry applies (rollout-format §7.1). */
export const EntryPath = Schema.Union(
  Schema.Struct({ type: Schema.Literal("path"), path: AbsolutePath }),
  Schema.Struct({ type: Schema.Literal("glob_pattern"), pattern: Schema.String }),
  Schema.Struct({ type: Schema.Literal("special"), value: SpecialPath })
)
export type EntryPath = typeof EntryPath.Type

/** What may be done with the files of a place (rollout-format §7.1); the older `none` means `deny`. */
export const FileSystemEntry = Shape.struct({ path: EntryPath, access: Schema.Literal("read", "write", "deny") })
export type FileSystemEntry = Shape.TypeOf<typeof FileSystemEntry>

/** The file system of a managed profile (rollout-format §7.1). */
export const FileSystem = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("restricted"),
    entries: Schema.Array(FileSystemEntry.schema),
    glob_scan_max_depth: Shape.sparse(Positive)
  }),
  Schema.Struct({ type: Schema.Literal("unrestricted") })
)
export type FileSystem = typeof FileSystem.Type

/** What an agent may do (rollout-format §7.1). */
export const PermissionProfile = Schema.Union(
  Schema.Struct({ type: Schema.Literal("managed"), file_system: FileSystem, network: NetworkAccess }),
  Schema.Struct({ type: Schema.Literal("disabled") }),
  Schema.Struct({ type: Schema.Literal("external"), network: NetworkAccess })
)
export type PermissionProfile = typeof PermissionProfile.Type

/** The file system where the coarser sandbox policy cannot express it (rollout-format §7.1). */
export const FileSystemPolicy = Shape.struct({
  kind: Schema.Literal("restricted", "unrestricted", "external-sandbox"),
  glob_scan_max_depth: Shape.sparse(Positive),
  entries: Shape.elided(Schema.Array(FileSystemEntry.schema), [])
})
export type FileSystemPolicy = Shape.TypeOf<typeof FileSystemPolicy>

/** Domains that may and may not be reached (rollout-format §7.1). */
export const NetworkDomains = Shape.struct({
  allowed_domains: Schema.Array(Schema.String),
  denied_domains: Schema.Array(Schema.String)
})
export type NetworkDomains = Shape.TypeOf<typeof NetworkDomains>
