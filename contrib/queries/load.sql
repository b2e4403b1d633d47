-- SQLite: one row per event, its line as it is. Run where events.json is.
CREATE TABLE IF NOT EXISTS events (line TEXT NOT NULL);
.mode ascii
.separator "\037" "\n"
.import events.json events
