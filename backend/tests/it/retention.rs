//! What is old enough goes, and nothing else.

use backend::app::first_id;
use backend::jobs::{Job, Outcome};
use backend::retention::Housekeep;
use chrono::{TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use crate::app::TestApp;

#[derive(QueryableByName)]
struct Left {
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

#[tokio::test]
async fn what_was_kept_long_enough_is_thrown_away() {
    let app = TestApp::with(|config| {
        let it = &mut config.retention;
        (it.inbox_days, it.idempotency_days) = (180, 7);
        (it.jobs_days, it.sessions_days, it.codes_days) = (14, 30, 1);
    })
    .await;
    let mut conn = app.conn().await;
    // Of everything one row that is a day older than it is kept, and one that is a day younger.
    let id = |days: i64| first_id(Utc::now() - TimeDelta::days(days));
    let (frames, inbox) = ([id(91), id(89)], [id(181), id(179)]);
    conn.batch_execute(&format!(
        "insert into device_frames (id, device_id, inbound, body, created_at) values
            ('{}', gen_random_uuid(), true, 'old', now()), ('{}', gen_random_uuid(), true, 'young', now());
        insert into device_frames (id, device_id, inbound, body, created_at)
            select overlay('{0}' placing lpad(to_hex(n), 12, '0') from 25)::uuid, gen_random_uuid(), true, 'many', now()
            from generate_series(1, 12000) n;
        insert into inbox (id, channel, dedupe_key, headers, body, state) values
            ('{}', 'sandbox', 'old', '{{}}', '', 'done'), ('{}', 'sandbox', 'young', '{{}}', '', 'done'),
            (overlay('{2}' placing '1' from 36)::uuid, 'sandbox', 'old, not done', '{{}}', '', 'new');
        insert into inbox_rejected (id, channel, headers, body, reason) values
            ('{2}', 'sandbox', '{{}}', 'old', ''), ('{3}', 'sandbox', '{{}}', 'young', '');
        insert into idempotency_keys (id, actor, operation, key, request_hash, answer, created_at) values
            (gen_random_uuid(), gen_random_uuid(), 'o', 'old', '', '', now() - interval '8 days'),
            (gen_random_uuid(), gen_random_uuid(), 'o', 'young', '', '', now() - interval '6 days');
        insert into jobs (id, kind, key, payload, state, finished_at) values
            (gen_random_uuid(), 'test', 'old', '{{}}', 'done', now() - interval '15 days'),
            (gen_random_uuid(), 'test', 'young', '{{}}', 'done', now() - interval '13 days'),
            (gen_random_uuid(), 'test', 'old, dead', '{{}}', 'dead', now() - interval '15 days');
        insert into sessions (id, family, user_id, token_hash, ip, agent, expires_at)
            select gen_random_uuid(), gen_random_uuid(), id, age, '', 'test', now() - days * interval '1 day'
            from users, (values ('old', 31), ('young', 29)) it (age, days) where username = 'admin';
        insert into login_codes (phone, code_hash, sent_at, expires_at, counted_from) values
            ('old', '', now() - interval '2 days', now() - interval '2 days', now() - interval '2 days'),
            ('young', '', now(), now() - interval '23 hours', now() - interval '2 days'),
            ('old, counted', '', now(), now() - interval '2 days', now());
        insert into code_counts (subject, sends, counted_from) values
            ('old', 1, now() - interval '25 hours'), ('young', 1, now() - interval '23 hours');
        insert into login_tries (name, network, failed, failed_at, succeeded_at) values
            ('old', '', 1, now() - interval '25 hours', null), ('young', '', 1, now() - interval '23 hours', null),
            ('old, known', '', 0, now() - interval '91 days', now() - interval '91 days'),
            ('young, known', '', 0, now() - interval '91 days', now() - interval '89 days')",
        frames[0], frames[1], inbox[0], inbox[1],
    ))
    .await
    .unwrap();

    let outcome = Housekeep {}.run(&app.app).await.unwrap();
    let Outcome::Again(next) = outcome else { panic!("{outcome:?}") };
    assert!(next > Utc::now() + TimeDelta::minutes(50), "all is done, so it rests for a while");
    let left: Vec<Left> = diesel::sql_query(
        "select what, count(*) as rows from (
            select 'frame ' || body as what from device_frames
            union all select 'message ' || dedupe_key from inbox
            union all select 'rejected ' || body from inbox_rejected
            union all select 'key ' || key from idempotency_keys
            union all select 'job ' || key from jobs where kind = 'test'
            union all select 'session ' || token_hash from sessions where agent = 'test'
            union all select 'count ' || subject from code_counts
            union all select 'tries ' || name from login_tries where network = ''
            union all select 'code ' || phone from login_codes) it group by what order by what collate \"C\"",
    )
    .load(&mut conn)
    .await
    .unwrap();
    let left: Vec<String> = left.into_iter().map(|it| format!("{} {}", it.rows, it.what)).collect();
    let kept = [
        "1 code old, counted",
        "1 code young",
        "1 count young",
        "1 frame young",
        "1 job old, dead",
        "1 job young",
        "1 key young",
        "1 message old, not done",
        "1 message young",
        "1 rejected young",
        "1 session young",
        "1 tries young",
        "1 tries young, known",
    ];
    assert_eq!(left, kept);
}
