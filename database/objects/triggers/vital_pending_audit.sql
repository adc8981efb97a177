-- Audit rows are settled by the mark in vital.pending_versions: a trigger here would run once a row.
drop trigger if exists pending_audit_settle on vital.pending_audit;
