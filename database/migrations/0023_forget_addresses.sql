-- The addresses that an erasure looks for while it runs are no statistics: whoever analyzes the table meanwhile, as autovacuum
-- does, would have the planner remember them.
-- +goose Up
-- +goose StatementBegin
alter table vital.erasures
  alter column addresses type text[], -- the same, which forgets what is remembered already
  alter column addresses set statistics 0;
-- +goose StatementEnd
