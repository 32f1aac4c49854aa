//! Procedures and HTTP handlers: what may wait, open transactions and send requests. For tests.

use spacetimedb::http::{Body, HandlerContext, Request, Response, Router, Timeout, handler, router};
use spacetimedb::{
    ProcedureContext, ReducerContext, ScheduleAt, Table, TimeDuration, TxContext, procedure, reducer, table,
    volatile_nonatomic_schedule_immediate,
};
use std::time::Duration;

/// What happened, in order.
#[table(accessor = event_log, public)]
pub struct EventLog {
    #[primary_key]
    #[auto_inc]
    pub id: u64,
    pub who: String,
    pub what: String,
}

fn note(ctx: &ReducerContext, who: &str, what: &str) -> u64 {
    ctx.db.event_log().insert(EventLog { id: 0, who: who.into(), what: what.into() }).id
}

#[reducer]
pub fn record(ctx: &ReducerContext, what: String) {
    note(ctx, "record", &what);
}

/// Asks for a call of `record` right after this one, whether it commits or not.
#[reducer]
pub fn ask_for_record(ctx: &ReducerContext, what: String, then_fail: bool) -> Result<(), String> {
    note(ctx, "ask_for_record", &what);
    volatile_nonatomic_schedule_immediate!(record(what));
    if then_fail { Err("failed after asking".into()) } else { Ok(()) }
}

// --- values and failures -----------------------------------------------------------------------

#[procedure]
pub fn add(_ctx: &mut ProcedureContext, a: i64, b: i64) -> i64 {
    a + b
}

#[procedure]
pub fn judge(_ctx: &mut ProcedureContext, good: bool) -> Result<u32, String> {
    if good { Ok(42) } else { Err("not good".into()) }
}

#[procedure]
pub fn crash(_ctx: &mut ProcedureContext, message: String) {
    panic!("{message}");
}

#[procedure]
pub fn spin(_ctx: &mut ProcedureContext) {
    let mut n = 0u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

// --- waiting -----------------------------------------------------------------------------------

/// Sleeps, and returns how many microseconds passed.
#[procedure]
pub fn nap(ctx: &mut ProcedureContext, ms: u32) -> i64 {
    let before = ctx.timestamp;
    ctx.sleep_until(before + Duration::from_millis(ms.into()));
    ctx.timestamp.to_micros_since_unix_epoch() - before.to_micros_since_unix_epoch()
}

/// `method url`, with a header and a body. The answer's status and body, or what went wrong.
#[procedure]
pub fn fetch(ctx: &mut ProcedureContext, method: String, url: String, timeout_ms: u32) -> Result<String, String> {
    let limit = Timeout::from(TimeDuration::from_micros(i64::from(timeout_ms) * 1000));
    let request = Request::<()>::builder().method(method.as_str()).uri(url).header("x-mine", "yes").extension(limit);
    let request = request.body("question").map_err(|e| e.to_string())?;
    let (parts, body) = ctx.http.send(request).map_err(|e| e.to_string())?.into_parts();
    Ok(format!("{} {}", parts.status.as_u16(), body.into_string_lossy()))
}

// --- transactions ------------------------------------------------------------------------------

#[procedure]
pub fn write(ctx: &mut ProcedureContext, what: String) -> u64 {
    ctx.with_tx(|tx| note(tx, "write", &what))
}

#[procedure]
pub fn take_back(ctx: &mut ProcedureContext, what: String) -> Result<(), String> {
    ctx.try_with_tx(|tx| {
        note(tx, "take_back", &what);
        Err(format!("took back {what}"))
    })
}

#[procedure]
pub fn crash_in_tx(ctx: &mut ProcedureContext) {
    ctx.with_tx(|tx| {
        note(tx, "crash_in_tx", "lost");
        panic!("in a transaction");
    })
}

/// Two transactions with a nap between: rows before, after the first, after the nap, at the end.
#[procedure]
pub fn write_twice(ctx: &mut ProcedureContext, ms: u32, what: String) -> Vec<u64> {
    let count = |tx: &TxContext| tx.db.event_log().count();
    let before = ctx.with_tx(count);
    let between = ctx.with_tx(|tx| {
        note(tx, "write_twice", &what);
        count(tx)
    });
    ctx.sleep_until(ctx.timestamp + Duration::from_millis(ms.into()));
    let after = ctx.with_tx(count);
    let last = ctx.with_tx(|tx| {
        note(tx, "write_twice", &what);
        count(tx)
    });
    vec![before, between, after, last]
}

/// Adds to a counter in a row, in `times` transactions that each read before they write.
#[procedure]
pub fn count_up(ctx: &mut ProcedureContext, times: u32) {
    for _ in 0..times {
        ctx.with_tx(|tx| increment(tx));
    }
}

#[reducer]
pub fn count_one(ctx: &ReducerContext) {
    increment(ctx);
}

#[table(accessor = counter, public)]
pub struct Counter {
    #[primary_key]
    pub id: u32,
    pub n: u64,
}

fn increment(ctx: &ReducerContext) {
    match ctx.db.counter().id().find(1) {
        Some(row) => ctx.db.counter().id().update(Counter { n: row.n + 1, ..row }),
        None => ctx.db.counter().insert(Counter { id: 1, n: 1 }),
    };
}

// --- schedules ---------------------------------------------------------------------------------

#[table(accessor = chore, public, scheduled(do_chore))]
pub struct Chore {
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    pub scheduled_at: ScheduleAt,
    pub what: String,
    pub takes_ms: u32,
}

#[reducer]
pub fn plan_chore(ctx: &ReducerContext, in_ms: u32, what: String, takes_ms: u32) {
    let at = ctx.timestamp + Duration::from_millis(in_ms.into());
    ctx.db.chore().insert(Chore { scheduled_id: 0, scheduled_at: at.into(), what, takes_ms });
}

#[reducer]
pub fn plan_habit(ctx: &ReducerContext, every_ms: u32, what: String, takes_ms: u32) {
    let every = Duration::from_millis(every_ms.into());
    ctx.db.chore().insert(Chore { scheduled_id: 0, scheduled_at: every.into(), what, takes_ms });
}

#[reducer]
pub fn drop_chores(ctx: &ReducerContext) {
    ctx.db.chore().clear();
}

/// A chore that is called `crash` panics.
#[procedure]
pub fn do_chore(ctx: &mut ProcedureContext, chore: Chore) {
    ctx.with_tx(|tx| note(tx, "begin", &chore.what));
    ctx.sleep_until(ctx.timestamp + Duration::from_millis(chore.takes_ms.into()));
    if chore.what == "crash" {
        panic!("a chore went wrong");
    }
    ctx.with_tx(|tx| note(tx, "end", &chore.what));
}

// --- HTTP handlers -----------------------------------------------------------------------------

fn text(status: u16, body: impl Into<String>) -> Response {
    let mut response = Response::new(Body::from_bytes(body.into()));
    *response.status_mut() = status.try_into().expect("a valid status");
    response
}

#[handler]
fn hello(_ctx: &mut HandlerContext, _request: Request) -> Response {
    text(200, "hello")
}

#[handler]
fn echo(_ctx: &mut HandlerContext, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut lines = vec![format!("{} {} {:?}", parts.method, parts.uri, parts.version)];
    for (name, value) in &parts.headers {
        lines.push(format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    }
    lines.push(body.into_string_lossy());
    let mut response = text(200, lines.join("\n"));
    response.headers_mut().append("x-twice", "one".parse().expect("a header"));
    response.headers_mut().append("x-twice", "two".parse().expect("a header"));
    response
}

#[handler]
fn keep(ctx: &mut HandlerContext, request: Request) -> Response {
    let body = request.into_body().into_string_lossy();
    text(201, ctx.with_tx(|tx| note(tx, "keep", &body)).to_string())
}

#[handler]
fn broken(_ctx: &mut HandlerContext, _request: Request) -> Response {
    panic!("a handler panicked");
}

#[router]
fn routes() -> Router {
    Router::new().get("", hello).get("/hello", hello).any("/echo", echo).post("/keep", keep).get("/broken", broken)
}
