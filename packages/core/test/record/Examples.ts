/** Every JSON example of the format's page, as written there (rollout-format §2 to §7). */

/** Whole lines (§2, §3 and §7). */
export const records: ReadonlyArray<string> = [
  String.raw`{"timestamp":"2026-07-20T10:00:00.123Z","ordinal":7,"type":"event_msg","payload":{"type":"thread_rolled_back","num_turns":1}}`,
  String.raw`{"timestamp":"2026-07-20T10:00:00.000Z","type":"session_meta","payload":{"session_id":"019c2b10-7a00-7c00-8000-0000000000a1","id":"019c2b11-0000-7c00-8000-0000000000a2","parent_thread_id":"019c2b10-7a00-7c00-8000-0000000000a1","timestamp":"2026-07-20T09:59:59.500Z","cwd":"/repo","originator":"my_host","cli_version":"0.1.0","source":{"subagent":{"thread_spawn":{"parent_thread_id":"019c2b10-7a00-7c00-8000-0000000000a1","depth":1,"agent_path":"/root/worker","agent_nickname":"Ada","agent_role":null}}},"thread_source":"subagent","agent_nickname":"Ada","agent_path":"/root/worker","model_provider":"openai","base_instructions":{"text":"Be brief."},"history_mode":"legacy","multi_agent_version":"v2","context_window":{"window_id":"019c2b11-0001-7c00-8000-0000000000b0"},"git":{"commit_hash":"9f1c2d","branch":"main"}}}`,
  String.raw`{"timestamp":"2026-06-20T08:00:00.000Z","type":"inter_agent_communication","payload":{"author":"/root","recipient":"/root/worker","other_recipients":[],"content":"check tests","trigger_turn":true}}`,
  String.raw`{"timestamp":"2026-07-20T10:00:01.000Z","type":"inter_agent_communication_metadata","payload":{"trigger_turn":true}}`,
  String.raw`{"timestamp":"2026-07-20T10:00:02.000Z","type":"turn_context","payload":{"turn_id":"t-1","cwd":"/repo","workspace_roots":["/repo"],"current_date":"2026-07-20","timezone":"Etc/UTC","approval_policy":"on-request","approvals_reviewer":"user","sandbox_policy":{"type":"workspace-write","network_access":false,"exclude_tmpdir_env_var":false,"exclude_slash_tmp":false},"permission_profile":{"type":"managed","file_system":{"type":"restricted","entries":[{"path":{"type":"special","value":{"kind":"root"}},"access":"read"}]},"network":"restricted"},"model":"m-1","comp_hash":"h1","collaboration_mode":{"mode":"default","settings":{"model":"m-1","reasoning_effort":"high","developer_instructions":null}},"multi_agent_version":"v2","multi_agent_mode":"explicitRequestOnly","realtime_active":false,"effort":"high","summary":"auto"}}`,
  String.raw`{"timestamp":"2026-07-20T11:00:00.000Z","type":"compacted","payload":{"message":"Work so far: ...","replacement_history":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Fix login"}]}],"window_number":1,"first_window_id":"019c2b11-0001-7c00-8000-0000000000b0","previous_window_id":"019c2b11-0001-7c00-8000-0000000000b0","window_id":"019c2b48-0000-7c00-8000-0000000000b1"}}`,
  String.raw`{"timestamp":"2026-07-20T10:00:01.900Z","type":"world_state","payload":{"full":true,"state":{"agents_md":{"directory":"/repo","text":"Use tabs."},"realtime":{"active":false}}}}`,
  String.raw`{"timestamp":"2026-07-20T10:05:00.000Z","type":"world_state","payload":{"full":false,"state":{"agents_md":{"directory":null,"text":null},"realtime":{"active":true}}}}`
]

/** Payloads of response_item (§4.4). */
export const items: ReadonlyArray<string> = [
  String.raw`{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Done."}],"phase":"final_answer","internal_chat_message_metadata_passthrough":{"turn_id":"t-1"}}`,
  String.raw`{"type":"agent_message","id":"amsg_1","author":"/root","recipient":"/root/worker","content":[{"type":"encrypted_content","encrypted_content":"gAAA"}]}`,
  String.raw`{"type":"reasoning","summary":[{"type":"summary_text","text":"Plan"}],"content":null,"encrypted_content":"gAAB"}`,
  String.raw`{"type":"local_shell_call","call_id":"c0","status":"completed","action":{"type":"exec","command":["ls"],"timeout_ms":null,"working_directory":null,"env":null,"user":null}}`,
  String.raw`{"type":"function_call","id":"fc_1","name":"shell_command","arguments":"{\"command\":\"ls\"}","call_id":"c1"}`,
  String.raw`{"type":"function_call_output","call_id":"c1","output":"a.txt"}`,
  String.raw`{"type":"function_call_output","call_id":"c2","output":[{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"high"}]}`,
  String.raw`{"type":"custom_tool_call","status":"completed","call_id":"c3","name":"apply_patch","input":"*** Begin Patch"}`,
  String.raw`{"type":"custom_tool_call_output","call_id":"c3","name":"apply_patch","output":"ok"}`,
  String.raw`{"type":"tool_search_call","call_id":"c4","status":"completed","execution":"client","arguments":{"query":"calendar"}}`,
  String.raw`{"type":"tool_search_output","call_id":"c4","status":"completed","execution":"client","tools":[]}`,
  String.raw`{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"rust"}}`,
  String.raw`{"type":"image_generation_call","id":"ig_1","status":"completed","result":"iVBO"}`,
  String.raw`{"type":"compaction","encrypted_content":"gAAC"}`,
  String.raw`{"type":"context_compaction","encrypted_content":"gAAD"}`,
  String.raw`{"type":"additional_tools","role":"developer","tools":[]}`,
  String.raw`{"type":"compaction_trigger"}`
]

/** Payloads of event_msg (§5). */
export const events: ReadonlyArray<string> = [
  String.raw`{"type":"task_started","turn_id":"t-1","started_at":1784541600,"model_context_window":272000,"collaboration_mode_kind":"default"}`,
  String.raw`{"type":"task_complete","turn_id":"t-1","last_agent_message":"Done.","error":{"message":"offline","codex_error_info":{"response_stream_disconnected":{"http_status_code":null}}},"completed_at":1784541605,"duration_ms":5000}`,
  String.raw`{"type":"turn_aborted","turn_id":"t-1","reason":"interrupted"}`,
  String.raw`{"type":"token_count","info":{"total_token_usage":{"input_tokens":10,"cached_input_tokens":0,"cache_write_input_tokens":0,"output_tokens":5,"reasoning_output_tokens":2,"total_tokens":15},"last_token_usage":{"input_tokens":10,"cached_input_tokens":0,"cache_write_input_tokens":0,"output_tokens":5,"reasoning_output_tokens":2,"total_tokens":15},"model_context_window":null},"rate_limits":null}`,
  String.raw`{"type":"thread_rolled_back","num_turns":2}`,
  String.raw`{"type":"thread_goal_updated","threadId":"019c2b10-7a00-7c00-8000-0000000000a1","goal":{"threadId":"019c2b10-7a00-7c00-8000-0000000000a1","objective":"Ship it","status":"active","tokensUsed":0,"timeUsedSeconds":0,"createdAt":1784541600,"updatedAt":1784541600}}`,
  String.raw`{"type":"thread_settings_applied","thread_settings":{"model":"m-1","model_provider_id":"openai","approval_policy":"on-request","approvals_reviewer":"user","permission_profile":{"type":"disabled"},"cwd":"/repo","collaboration_mode":{"mode":"default","settings":{"model":"m-1","reasoning_effort":null,"developer_instructions":null}}}}`,
  String.raw`{"type":"user_message","message":"hi","images":[],"local_images":[],"text_elements":[{"byte_range":{"start":0,"end":2},"placeholder":null}]}`,
  String.raw`{"type":"agent_message","message":"Done.","phase":"final_answer","memory_citation":null}`,
  String.raw`{"type":"agent_reasoning","text":"Looking"}`,
  String.raw`{"type":"agent_reasoning_raw_content","text":"raw"}`,
  String.raw`{"type":"entered_review_mode","target":{"type":"baseBranch","branch":"main"},"user_facing_hint":"review"}`,
  String.raw`{"type":"exited_review_mode","review_output":null}`,
  String.raw`{"type":"patch_apply_end","call_id":"c3","turn_id":"t-1","stdout":"ok","stderr":"","success":true,"changes":{"a.txt":{"type":"update","unified_diff":"@@","move_path":null}},"status":"completed"}`,
  String.raw`{"type":"context_compacted"}`,
  String.raw`{"type":"mcp_tool_call_end","call_id":"c5","invocation":{"server":"s","tool":"t","arguments":{"q":1}},"duration":{"secs":0,"nanos":42000000},"result":{"Ok":{"content":[{"type":"text","text":"ok"}],"isError":false}}}`,
  String.raw`{"type":"web_search_end","call_id":"ws_1","query":"rust","action":{"type":"open_page","url":"https://example.org"}}`,
  String.raw`{"type":"image_generation_end","call_id":"ig_1","status":"completed","result":"iVBO","saved_path":"/repo/i.png"}`,
  String.raw`{"type":"sub_agent_activity","event_id":"c6","occurred_at_ms":1784541600000,"agent_thread_id":"019c2b11-0000-7c00-8000-0000000000a2","agent_path":"/root/worker","kind":"started"}`,
  String.raw`{"type":"item_completed","thread_id":"019c2b10-7a00-7c00-8000-0000000000a1","turn_id":"t-1","item":{"type":"UserMessage","id":"u1","content":[{"type":"text","text":"hi","text_elements":[]}]},"completed_at_ms":1784541600500}`,
  String.raw`{"type":"error","message":"boom","codex_error_info":"server_overloaded"}`,
  String.raw`{"type":"exec_command_end","call_id":"c1","turn_id":"t-1","completed_at_ms":0,"command":["ls"],"cwd":"file:///repo","parsed_cmd":[],"source":"agent","stdout":"a\n","stderr":"","aggregated_output":"a\n","exit_code":0,"duration":{"secs":0,"nanos":1},"formatted_output":"a\n","status":"completed"}`,
  String.raw`{"type":"collab_waiting_end","sender_thread_id":"019c2b10-7a00-7c00-8000-0000000000a1","call_id":"k1","completed_at_ms":0,"statuses":{"019c2b11-0000-7c00-8000-0000000000a2":"running"}}`
]

/** Items of item_completed (§5.3). */
export const turnItems: ReadonlyArray<string> = [
  String.raw`{"type":"HookPrompt","id":"h1","fragments":[{"text":"retry","hookRunId":"run-1"}]}`,
  String.raw`{"type":"AgentMessage","id":"a1","content":[{"type":"Text","text":"Done."}],"phase":"final_answer"}`,
  String.raw`{"type":"Plan","id":"p1","text":"1. test"}`,
  String.raw`{"type":"Reasoning","id":"r1","summary_text":["Plan"],"raw_content":[]}`,
  String.raw`{"type":"CommandExecution","id":"c1","command":["ls"],"cwd":"file:///repo","parsed_cmd":[{"type":"list_files","cmd":"ls","path":null}],"source":"agent","status":"completed","aggregated_output":"a\n","exit_code":0,"duration":{"secs":0,"nanos":5000000}}`,
  String.raw`{"type":"DynamicToolCall","id":"d1","tool":"lookup","arguments":{"id":"9"},"status":"completed","content_items":[{"type":"inputText","text":"ok"}],"success":true}`,
  String.raw`{"type":"CollabAgentToolCall","id":"k1","tool":"wait","status":"completed","sender_thread_id":"019c2b10-7a00-7c00-8000-0000000000a1","receiver_thread_ids":["019c2b11-0000-7c00-8000-0000000000a2"],"receiver_agents":[],"agents_states":{"019c2b11-0000-7c00-8000-0000000000a2":{"completed":"ok"}}}`,
  String.raw`{"type":"SubAgentActivity","id":"c6","kind":"started","agent_thread_id":"019c2b11-0000-7c00-8000-0000000000a2","agent_path":"/root/worker"}`,
  String.raw`{"type":"WebSearch","id":"ws_1","query":"rust","action":{"type":"search","query":"rust"}}`,
  String.raw`{"type":"ImageView","id":"v1","path":"file:///repo/i.png"}`,
  String.raw`{"type":"Extension","kind":"clock.sleep","id":"s1","durationMs":1000}`,
  String.raw`{"type":"ImageGeneration","id":"ig_1","status":"completed","result":"iVBO"}`,
  String.raw`{"type":"EnteredReviewMode","id":"e1","target":{"type":"uncommittedChanges"},"user_facing_hint":"review"}`,
  String.raw`{"type":"ExitedReviewMode","id":"e2","review_output":null}`,
  String.raw`{"type":"FileChange","id":"f1","changes":{"n.txt":{"type":"add","content":"x"}},"status":"completed"}`,
  String.raw`{"type":"McpToolCall","id":"m1","server":"s","tool":"t","arguments":null,"status":"failed","error":{"message":"timeout"},"duration":{"secs":3,"nanos":0}}`,
  String.raw`{"type":"ContextCompaction","id":"x1"}`
]
