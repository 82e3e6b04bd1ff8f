/**
 * Forward steps, numbered by their place: `user_version` says how many have run. A released step is never edited.
 * Instants are RFC 3339 text; `*_json` columns hold JSON text; `host = ''` is every host, and
 * in assignments `role=edge,zone=a` every host with these labels.
 */
export const SQLITE_STEPS: readonly string[] = [
  `
CREATE TABLE tokens (
  id TEXT PRIMARY KEY CHECK (length(id) = 8),
  sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  env TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT
) STRICT;

CREATE TABLE pins (
  env TEXT NOT NULL,
  template_name TEXT NOT NULL,
  region TEXT NOT NULL,
  image_digest TEXT NOT NULL CHECK (image_digest GLOB 'sha256:*' AND length(image_digest) = 71),
  git_sha TEXT,
  notes TEXT,
  promoted_at TEXT NOT NULL,
  promoted_by TEXT NOT NULL,
  PRIMARY KEY (env, template_name, region)
) STRICT, WITHOUT ROWID;

CREATE TABLE builds (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  env TEXT NOT NULL,
  agent_id TEXT,
  agent_name TEXT NOT NULL,
  image_name TEXT NOT NULL,
  image_tag TEXT NOT NULL,
  image_digest TEXT,
  platform TEXT,
  build_arg_names_json TEXT NOT NULL,
  source_repo TEXT,
  source_commit TEXT,
  source_ref TEXT,
  source_subpath TEXT,
  source_dirty INTEGER CHECK (source_dirty IN (0, 1)),
  working_tree_hash TEXT,
  context_sha256 TEXT NOT NULL,
  context_bytes INTEGER NOT NULL CHECK (context_bytes > 0),
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL
) STRICT;
CREATE INDEX builds_by_env ON builds (env, seq);
CREATE INDEX builds_by_commit ON builds (env, source_commit, seq);
CREATE INDEX builds_by_hash ON builds (env, working_tree_hash, seq);
CREATE INDEX builds_by_agent ON builds (env, agent_name, seq);

CREATE TABLE artifacts (
  sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  stored_at TEXT NOT NULL,
  stored_by TEXT NOT NULL
) STRICT;

CREATE TABLE packages (
  env TEXT NOT NULL,
  addon_id TEXT NOT NULL,
  version TEXT NOT NULL,
  binary_name TEXT NOT NULL,
  delivery TEXT NOT NULL,
  supervision TEXT NOT NULL,
  args_json TEXT NOT NULL,
  config_json TEXT NOT NULL,
  capabilities_json TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (env, addon_id, version)
) STRICT;

CREATE TABLE package_artifacts (
  env TEXT NOT NULL,
  addon_id TEXT NOT NULL,
  version TEXT NOT NULL,
  platform TEXT NOT NULL,
  object_key TEXT,
  sha256 TEXT REFERENCES artifacts (sha256),
  signature TEXT,
  PRIMARY KEY (env, addon_id, version, platform),
  FOREIGN KEY (env, addon_id, version) REFERENCES packages (env, addon_id, version)
) STRICT;

CREATE TABLE assignments (
  env TEXT NOT NULL,
  addon_id TEXT NOT NULL,
  host TEXT NOT NULL,
  version TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  args_json TEXT,
  config_json TEXT,
  assigned_at TEXT NOT NULL,
  assigned_by TEXT NOT NULL,
  PRIMARY KEY (env, addon_id, host),
  FOREIGN KEY (env, addon_id, version) REFERENCES packages (env, addon_id, version)
) STRICT;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  env TEXT,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('allowed', 'denied')),
  subject TEXT NOT NULL,
  reason TEXT,
  before_json TEXT,
  after_json TEXT,
  request_id TEXT
) STRICT;
CREATE TRIGGER events_keep_rows BEFORE DELETE ON events
  BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_keep_contents BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER events_keep_numbers BEFORE INSERT ON events
  WHEN EXISTS (SELECT 1 FROM events WHERE seq = NEW.seq)
  BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TABLE readiness (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  checked_at TEXT NOT NULL
) STRICT;
`,
  `
-- The event that wrote the row: never the same one twice, also when a row comes back to an earlier digest.
ALTER TABLE pins ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
-- The highest build number that was promoted here.
ALTER TABLE pins ADD COLUMN seq INTEGER CHECK (seq >= 0);
CREATE INDEX events_by_subject ON events (env, subject, seq);

-- kind held: scope is a region; vetoed: a digest; frozen: both names are ''.
CREATE TABLE pin_stops (
  env TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('held', 'vetoed', 'frozen')),
  template_name TEXT NOT NULL,
  scope TEXT NOT NULL,
  reason TEXT NOT NULL,
  set_at TEXT NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (env, kind, template_name, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  actor TEXT NOT NULL,
  key TEXT NOT NULL,
  request_sha256 TEXT NOT NULL,
  answer_json TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
`,
  `
ALTER TABLE package_artifacts ADD COLUMN statement TEXT;
`,
  `
-- Over the event and the digest of the one before it; null for events from before this step.
ALTER TABLE events ADD COLUMN sha256 TEXT CHECK (length(sha256) = 64);
CREATE TABLE event_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  sha256 TEXT NOT NULL
) STRICT;
INSERT INTO event_head SELECT 1, coalesce(max(seq), 0), printf('%064d', 0) FROM events;
`,
  `
-- Lists of names; null is everything.
ALTER TABLE tokens ADD COLUMN templates_json TEXT;
ALTER TABLE tokens ADD COLUMN repos_json TEXT;
ALTER TABLE tokens ADD COLUMN hosts_json TEXT;
`,
  `
CREATE INDEX builds_by_digest ON builds (env, image_digest, seq);
`,
  `
-- What a host said last.
CREATE TABLE host_reports (
  env TEXT NOT NULL,
  host TEXT NOT NULL,
  platform TEXT NOT NULL,
  config_version TEXT,
  addons_json TEXT NOT NULL,
  reported_at TEXT NOT NULL,
  reported_by TEXT NOT NULL,
  PRIMARY KEY (env, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE attestations (
  env TEXT NOT NULL,
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  predicate_type TEXT NOT NULL,
  envelope_json TEXT NOT NULL,
  stored_at TEXT NOT NULL,
  stored_by TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (env, sha256)
) STRICT, WITHOUT ROWID;
CREATE TABLE attestation_subjects (
  env TEXT NOT NULL,
  subject_sha256 TEXT NOT NULL CHECK (length(subject_sha256) = 64),
  sha256 TEXT NOT NULL,
  PRIMARY KEY (env, subject_sha256, sha256),
  FOREIGN KEY (env, sha256) REFERENCES attestations (env, sha256)
) STRICT, WITHOUT ROWID;
`,
  `
-- Bytes that an environment was the first to bring, artifacts and contexts together.
CREATE TABLE storage_use (
  env TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
CREATE INDEX builds_by_context ON builds (context_sha256);
CREATE INDEX idempotency_by_end ON idempotency (expires_at);
INSERT INTO storage_use SELECT env, sum(bytes) FROM (
  SELECT coalesce(t.env, 'default') AS env, a.bytes
    FROM artifacts a LEFT JOIN tokens t ON a.stored_by = 'api-token-' || t.id
  UNION ALL SELECT min(env), max(context_bytes) FROM builds GROUP BY context_sha256
) AS kept GROUP BY env;

-- What operators say of a host; assignments may be for every host with some labels.
CREATE TABLE host_labels (
  env TEXT NOT NULL,
  host TEXT NOT NULL,
  labels_json TEXT NOT NULL,
  set_at TEXT NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (env, host)
) STRICT, WITHOUT ROWID;
`,
  `
-- The event before about the same pin, which has the last one; null where no pin was there, and for what came before
-- this step. Only these are in an index, and receipts: each promotion would write another page of it.
ALTER TABLE events ADD COLUMN previous INTEGER;
ALTER TABLE pins ADD COLUMN last_event INTEGER;
DROP INDEX events_by_subject;
CREATE INDEX pin_events ON events (env, subject, seq) WHERE previous IS NULL AND substr(action, 1, 4) = 'pin.';
CREATE INDEX pin_receipts ON events (env, subject, seq) WHERE action = 'pin.receipt' AND decision = 'allowed';
`,
  `
-- The last event that may have changed a token or what a host is given. A server that knows no such number leaves
-- watched_to behind seq, and then any event may have been one.
ALTER TABLE event_head ADD COLUMN watched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event_head ADD COLUMN watched_to INTEGER NOT NULL DEFAULT -1;
`,
  `
-- What is for one host, and what is for labels: with thousands of hosts each of them would look through all.
CREATE INDEX assignments_by_host ON assignments (env, host);
CREATE INDEX assignments_by_labels ON assignments (env, host) WHERE replace(host, '=', '') <> host;
`,
];
