-- Numbers and keeps a batch, after another statement has locked the head row and taken the
-- numbers: its snapshot must be younger than that lock, to see what another receiver
-- committed meanwhile.
--
-- Each id is looked up in the indexes whatever the estimates say: the tables may have been
-- empty when it was planned. Low estimates keep the server from compiling it.
--
-- nth counts the arrivals of an id within the batch, from 1; first is the place of the
-- first of them, and same says whether both have the same body.
WITH input AS (
	SELECT (SELECT last FROM aspectop.head) - $1::bigint AS base, i.*
	FROM unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::int[], $9::int[], $10::bool[], $11::text[])
		WITH ORDINALITY AS i (id, received, source, secret, headers, body, first, nth, same, twin, place)
), placed AS (
	SELECT i.base + i.place AS seq, i.id, i.received, i.source, i.secret, i.headers, i.body,
		coalesce(d.seq, r.seq, i.base + i.first) AS message,
		CASE WHEN d.seq IS NOT NULL THEN d.body <> i.body
			WHEN r.seq IS NOT NULL THEN r.digest <> sha256(i.body)
			ELSE NOT i.same END AS differs,
		i.nth + CASE WHEN d.seq IS NULL AND r.seq IS NULL THEN 0
			ELSE greatest(1, (SELECT max(attempt) FROM aspectop.repeats AS p WHERE p.message = coalesce(d.seq, r.seq))) END AS attempt
	FROM input AS i
		LEFT JOIN LATERAL (
			(SELECT seq, body FROM aspectop.deliveries WHERE id = i.id LIMIT 1) UNION ALL
			(SELECT seq, body FROM aspectop.deliveries WHERE id = i.twin LIMIT 1) LIMIT 1) AS d ON true
		LEFT JOIN LATERAL (
			(SELECT seq, digest FROM aspectop.removed WHERE id = i.id LIMIT 1) UNION ALL
			(SELECT seq, digest FROM aspectop.removed WHERE id = i.twin LIMIT 1) LIMIT 1) AS r ON true
), messages AS (
	INSERT INTO aspectop.deliveries (seq, id, received, source, secret, headers, body)
	SELECT seq, id, received, source, secret, headers, body FROM placed WHERE message = seq
), repeats AS (
	INSERT INTO aspectop.repeats (seq, message, attempt, differs, id, received, source, secret, headers, body)
	SELECT seq, message, attempt, differs, id, received, source, secret, headers, CASE WHEN differs THEN body END
	FROM placed WHERE message <> seq
)
SELECT seq, message, attempt, differs FROM placed ORDER BY seq
