-- What this version of the schema may lack: earlier programs know nothing of it, and go on
-- reading and writing.

SET LOCAL lock_timeout = '3s';
-- It begins with the microseconds since 1970 of the try that it answers.
ALTER TABLE aspectop.forwards ADD COLUMN IF NOT EXISTS answer text;
-- A ring of rejected requests, the newest last; facts is a JSON object of what was found out.
CREATE TABLE IF NOT EXISTS aspectop.rejections (
	n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at      timestamptz NOT NULL,
	facts   text NOT NULL,
	headers text NOT NULL,
	body    bytea
);
-- Who may do something with the outcomes of forwards may do it with rejected requests too.
DO $$
DECLARE statement text;
BEGIN
	FOR statement IN SELECT format('GRANT %s ON aspectop.rejections TO %s', privilege_type, CASE grantee WHEN 'PUBLIC' THEN grantee ELSE quote_ident(grantee) END)
		FROM information_schema.table_privileges WHERE table_schema = 'aspectop' AND table_name = 'forwards'
	LOOP EXECUTE statement; END LOOP;
END $$;
