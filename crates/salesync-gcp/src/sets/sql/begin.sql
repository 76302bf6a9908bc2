-- What statements write beside what is loaded.
CREATE TABLE {facts} (field STRING, text STRING, number FLOAT64, organisation STRING);
CREATE TABLE {labels} (label STRING, text STRING);
CREATE TABLE {votes} (what STRING, text STRING, organisation STRING, place STRING, votes INT64);
CREATE TABLE {domains} (domain STRING, meant STRING);
CREATE TABLE {organisations} (what STRING, text STRING, organisation STRING, place STRING);
CREATE TABLE {users} (key_number INT64, users INT64);
CREATE TABLE {uses} (kind STRING, key_kind STRING, key_number INT64, records INT64);
CREATE TABLE {edges} (kind STRING, one INT64, other INT64, met_by STRING, bits FLOAT64)
