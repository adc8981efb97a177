-- name: Pause
select pg_wal_replay_pause()

-- name: Resume
select pg_wal_replay_resume()

-- name: State
select pg_get_wal_replay_pause_state()
