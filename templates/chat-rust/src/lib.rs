//! A chat with rooms. Everybody sees who is online, which rooms there are and what was said in them,
//! live: the three tables are public, and a client that subscribes to them is told of every change.

use spacetimedb::{Identity, ReducerContext, Table, Timestamp, reducer, table};

/// The longest text a message may have, in characters.
const LONGEST_MESSAGE: usize = 2_000;

/// A member: whoever has connected at least once.
#[table(accessor = member, public)]
pub struct Member {
    #[primary_key]
    identity: Identity,
    nickname: String,
    /// How many connections this member has open at the moment.
    connections: u32,
}

#[table(accessor = room, public)]
pub struct Room {
    #[primary_key]
    #[auto_inc]
    id: u32,
    #[unique]
    title: String,
}

#[table(accessor = message, public)]
pub struct Message {
    #[primary_key]
    #[auto_inc]
    id: u64,
    #[index(btree)]
    room: u32,
    author: Identity,
    said_at: Timestamp,
    text: String,
}

/// Runs once, in the transaction that creates the database.
#[reducer(init)]
pub fn open(ctx: &ReducerContext) {
    ctx.db.room().insert(Room { id: 0, title: "lobby".into() });
    log::info!("the lobby is open");
}

#[reducer(client_connected)]
pub fn enter(ctx: &ReducerContext) {
    let members = ctx.db.member();
    let identity = ctx.sender();
    match members.identity().find(identity) {
        Some(member) => {
            members.identity().update(Member { connections: member.connections + 1, ..member });
        }
        None => {
            let nickname = format!("guest-{}", &identity.to_hex().to_string()[58..]);
            members.insert(Member { identity, nickname, connections: 1 });
        }
    }
}

#[reducer(client_disconnected)]
pub fn leave(ctx: &ReducerContext) {
    let members = ctx.db.member();
    if let Some(member) = members.identity().find(ctx.sender()) {
        members.identity().update(Member { connections: member.connections.saturating_sub(1), ..member });
    }
}

/// Choose the name that others see.
#[reducer]
pub fn set_nickname(ctx: &ReducerContext, nickname: String) -> Result<(), String> {
    let nickname = nickname.trim();
    if nickname.is_empty() {
        return Err("a nickname needs at least one character".into());
    }
    let members = ctx.db.member();
    let member = members.identity().find(ctx.sender()).ok_or("connect before you choose a nickname")?;
    members.identity().update(Member { nickname: nickname.into(), ..member });
    Ok(())
}

#[reducer]
pub fn open_room(ctx: &ReducerContext, title: String) -> Result<(), String> {
    let title = title.trim();
    if title.is_empty() {
        return Err("a room needs a title".into());
    }
    ctx.db
        .room()
        .try_insert(Room { id: 0, title: title.into() })
        .map(|_| ())
        .map_err(|_| format!("there is a room called {title} already"))
}

/// Say something in a room.
#[reducer]
pub fn say(ctx: &ReducerContext, room: u32, text: String) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("an empty message says nothing".into());
    }
    if text.chars().count() > LONGEST_MESSAGE {
        return Err(format!("a message has at most {LONGEST_MESSAGE} characters"));
    }
    let room = ctx.db.room().id().find(room).ok_or_else(|| format!("there is no room {room}"))?;
    ctx.db.message().insert(Message { id: 0, room: room.id, author: ctx.sender(), said_at: ctx.timestamp, text });
    Ok(())
}

/// Take back one of one's own messages.
#[reducer]
pub fn take_back(ctx: &ReducerContext, message: u64) -> Result<(), String> {
    let messages = ctx.db.message();
    let found = messages.id().find(message).ok_or_else(|| format!("there is no message {message}"))?;
    if found.author != ctx.sender() {
        return Err("only its author can take a message back".into());
    }
    messages.id().delete(message);
    Ok(())
}
