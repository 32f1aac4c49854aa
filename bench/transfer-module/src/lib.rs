//! The transfer workload: accounts by number, and money that goes from one to another.
//! The sum of all balances never changes; whoever measures checks that.

use spacetimedb::{ReducerContext, Table, reducer, table};

#[table(accessor = accounts, public)]
pub struct Account {
    #[primary_key]
    #[index(hash)]
    id: u32,
    balance: i64,
}

/// Replaces whatever is there by accounts `0..n`, all with the same balance, in one transaction.
#[reducer]
pub fn seed(ctx: &ReducerContext, n: u32, initial_balance: i64) {
    let accounts = ctx.db.accounts();
    let old: Vec<u32> = accounts.iter().map(|account| account.id).collect();
    old.into_iter().for_each(|id| {
        accounts.id().delete(id);
    });
    (0..n).for_each(|id| {
        accounts.insert(Account { id, balance: initial_balance });
    });
}

#[reducer]
pub fn transfer(ctx: &ReducerContext, from: u32, to: u32, amount: i64) -> Result<(), String> {
    if from == to {
        return Err("same_account".into());
    }
    if amount <= 0 {
        return Err("non_positive_amount".into());
    }
    let accounts = ctx.db.accounts().id();
    let payer = accounts.find(from).ok_or("account_missing")?;
    let payee = accounts.find(to).ok_or("account_missing")?;
    if payer.balance < amount {
        return Err("insufficient_funds".into());
    }
    accounts.update(Account { balance: payer.balance - amount, ..payer });
    accounts.update(Account { balance: payee.balance + amount, ..payee });
    Ok(())
}
