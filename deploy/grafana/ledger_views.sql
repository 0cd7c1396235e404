-- What Grafana may read of the ledger: moments, durations, counts, and words out of closed lists. No handle, name, number,
-- comment or note, nobody's id, and nothing that a sender was free to word.
--
-- Run it as the user that `bottombox migrate` runs as, after it, and again after each upgrade:
--   psql "$BOTTOMBOX_DATABASE_URL" --set ON_ERROR_STOP=1 --file ledger_views.sql
-- It makes the role `bottombox_reader` if there is none, for which that user needs CREATEROLE; else let somebody who has it
-- run the first statement. The role has no password until you give it one: ALTER ROLE bottombox_reader PASSWORD '...'
BEGIN;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bottombox_reader') THEN
        CREATE ROLE bottombox_reader LOGIN CONNECTION LIMIT 10;
        ALTER ROLE bottombox_reader SET default_transaction_read_only = on;
        ALTER ROLE bottombox_reader SET statement_timeout = '30s';
        ALTER ROLE bottombox_reader SET lock_timeout = '2s';
        ALTER ROLE bottombox_reader SET search_path = bottombox_reports;
    END IF;
END
$$;

-- Without the views a migration may change any column; so whoever upgrades drops them, and this file makes them anew.
DROP SCHEMA IF EXISTS bottombox_reports CASCADE;
CREATE SCHEMA bottombox_reports;

-- Each answer once, as its newest revision says.
CREATE VIEW bottombox_reports.answers AS
SELECT r.answered_at AS at, r.source, r.box, r.points, r.suppressed
FROM responses AS r
WHERE NOT EXISTS (
    SELECT FROM responses AS newer
    WHERE newer.response_id = r.response_id AND newer.event_source = r.event_source
      AND (newer.revised_at, newer.origin_partition, newer.origin_offset) > (r.revised_at, r.origin_partition, r.origin_offset)
);

-- The queue `canary` is no customer's.
CREATE VIEW bottombox_reports.callbacks AS
SELECT c.opened_at, c.ended_at, c.state, c.queue, c.source, c.points, c.severity, c.priority, c.attempts_count,
       c.closed_reason, c.cause_kind, c.cause_driver, c.outcome,
       c.ended_at IS NULL AND least(
           CASE WHEN c.first_attempt_at IS NULL THEN c.due_first_attempt END,
           CASE WHEN c.contacted_at IS NULL THEN c.due_contact END,
           c.due_resolution) <= now() AS overdue
FROM callbacks AS c
WHERE c.queue <> 'canary';

-- What was measured when it ended, in seconds; `what` and `clock` as in docs/metrics.md.
CREATE VIEW bottombox_reports.durations AS
SELECT h.at, c.queue, c.cause_driver, what.key AS what, clock.key AS clock, clock.value::double precision AS seconds
FROM history AS h
JOIN callbacks AS c ON c.id = h.callback_id
CROSS JOIN LATERAL jsonb_each(h.measured) AS what
CROSS JOIN LATERAL jsonb_each_text(what.value) AS clock
WHERE h.measured <> '{}' AND c.queue <> 'canary';

-- Times that the company promises itself, each decided once.
CREATE VIEW bottombox_reports.targets AS
SELECT h.at, h.data ->> 'queue' AS queue, h.data ->> 'target' AS target, (h.data ->> 'result') = 'met' AS met
FROM history AS h
WHERE h.kind IN ('target_met', 'target_missed') AND h.data ->> 'queue' <> 'canary';

CREATE VIEW bottombox_reports.promises AS
SELECT h.at, h.data ->> 'queue' AS queue, h.data ->> 'result' AS result
FROM history AS h
WHERE h.kind = 'promise_decided' AND h.data ->> 'queue' <> 'canary';

CREATE VIEW bottombox_reports.attempts AS
SELECT a.started_at AS at, c.queue, a.result, a.outside_window
FROM attempts AS a
JOIN callbacks AS c ON c.id = a.callback_id
WHERE c.queue <> 'canary';

-- What could not be read, and whether it still waits for somebody.
CREATE VIEW bottombox_reports.dead_letters AS
SELECT d.failed_at AS at, d.topic, d.reason, d.redriven_at IS NULL AND d.gone_at IS NULL AS waits
FROM dead_letters AS d;

-- The conservation table: `difference` is 0.
CREATE VIEW bottombox_reports.offsets AS
SELECT p.topic, p.partition, p.epoch, p.seen_again, p.skipped,
       p.next_offset - p.first_offset - p.skipped
           - (SELECT coalesce(sum(ended.value::bigint), 0) FROM jsonb_each_text(p.outcomes) AS ended) AS difference
FROM partitions AS p;

GRANT USAGE ON SCHEMA bottombox_reports TO bottombox_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA bottombox_reports TO bottombox_reader;

COMMIT;
