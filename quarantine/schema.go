package quarantine

import "rempart/durable/sqlite"

var schema = sqlite.Schema{
	Version: 3,
	Create:  schemaCopies + schemaOwners + schemaDigests,
	From:    map[int]string{1: fromVersion1 + fromVersion2, 2: fromVersion2},
}

const schemaCopies = `
CREATE TABLE copies (
	id          TEXT NOT NULL,
	recipient   TEXT NOT NULL,
	time        INTEGER NOT NULL, -- seconds since 1970, as all times
	expires     INTEGER NOT NULL,
	tenant      TEXT NOT NULL,
	mail_from   TEXT NOT NULL,
	size        INTEGER NOT NULL,
	probability REAL NOT NULL,
	malware     INTEGER NOT NULL,
	released    INTEGER NOT NULL, -- 0: not yet
	released_by TEXT NOT NULL,
	outgoing    INTEGER NOT NULL,
	told        INTEGER NOT NULL, -- when a digest named it; 0: not yet
	mailbox     TEXT NOT NULL DEFAULT '',
	digest      BLOB NOT NULL DEFAULT x'', -- by which a mail that comes again is known
	PRIMARY KEY (id, recipient)
) WITHOUT ROWID;
CREATE TABLE digests (
	recipient TEXT PRIMARY KEY,
	time      INTEGER NOT NULL -- of the latest
) WITHOUT ROWID;
CREATE INDEX copies_recipient ON copies (recipient, time);
CREATE INDEX copies_time ON copies (time);
CREATE INDEX copies_expires ON copies (expires);
`

// schemaOwners is what version 2 added: whose the copies are, and the links by which they sign in.
const schemaOwners = `
CREATE INDEX copies_mailbox ON copies (mailbox, id);
CREATE TABLE signins (
	id      TEXT PRIMARY KEY, -- of a link
	mailbox TEXT NOT NULL,
	sent    INTEGER NOT NULL,
	used    INTEGER NOT NULL -- 0: not yet
) WITHOUT ROWID;
CREATE INDEX signins_mailbox ON signins (mailbox, sent);
`

// schemaDigests is what version 3 added.
const schemaDigests = `
CREATE INDEX copies_digest ON copies (digest, recipient);
`

// fromVersion1 makes a table of version 1 one of version 2.
const fromVersion1 = `
ALTER TABLE copies ADD COLUMN mailbox TEXT NOT NULL DEFAULT '';
UPDATE copies SET mailbox = lower(recipient) WHERE outgoing = 0;
` + schemaOwners

// fromVersion2 makes a table of version 2 one of version 3. What is kept already has no digest, and is kept again if it comes again.
const fromVersion2 = `
ALTER TABLE copies ADD COLUMN digest BLOB NOT NULL DEFAULT x'';
` + schemaDigests
