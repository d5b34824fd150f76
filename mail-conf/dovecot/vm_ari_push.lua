-- Tells vm-ari whose mailbox has changed, so that the lamp of the telephone is right at once.
-- vm_ari_push.conf loads it, and says where to; docs/lamps.md explains it.
--
-- One small POST for each transaction. The receiver counts that mailbox anew, so nothing here has to
-- be exact, and a POST that is lost costs minutes, not messages.
--
-- The time limits matter: Dovecot waits for the answer while it delivers. With its defaults a single
-- delivery takes 60 seconds as soon as the receiver is down. Only names that end in _msecs work;
-- without that they are accepted and have no effect.

local client = dovecot.http.client{
  connect_timeout_msecs = 300,
  request_timeout_msecs = 500,
  request_absolute_timeout_msecs = 1000,
  max_attempts = 1,
  max_connect_attempts = 1,
}

local function quoted(text)
  return (text:gsub("[^%w%-%._~]", function(c) return string.format("%%%02X", c:byte()) end))
end

function dovecot_lua_notify_begin_txn(user)
  return {
    name = user.username,
    url = user:plugin_getenv("vm_ari_push_url"),
    token = user:plugin_getenv("vm_ari_push_token"),
    changed = false,
  }
end

local function note(transaction)
  transaction.changed = true
end

dovecot_lua_notify_event_message_new = note
dovecot_lua_notify_event_message_append = note
dovecot_lua_notify_event_message_expunge = note
dovecot_lua_notify_event_message_trash = note
dovecot_lua_notify_event_message_read = note
dovecot_lua_notify_event_flags_set = note
dovecot_lua_notify_event_flags_clear = note

function dovecot_lua_notify_end_txn(transaction, success)
  if not success or not transaction.changed or not transaction.url then
    return
  end
  for url in transaction.url:gmatch("%S+") do  -- one for each node
    local request = client:request{ url = url, method = "POST" }
    request:add_header("Content-Type", "application/x-www-form-urlencoded")
    request:add_header("Authorization", "Bearer " .. (transaction.token or ""))
    request:set_payload("user=" .. quoted(transaction.name))
    request:submit()
  end
end
