//! Makes a pgbench script of what one request said to the database, so that both say the same.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use chrono::Utc;
use serde_json::Value;
use uuid::Uuid;

/// An id as the server makes them, which is new with each turn of the script.
const FRESH: &str = "lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' \
                     || substr(md5(random()::text), 1, 19)";

/// Where the id of a request's idempotency key is the second parameter.
const KEY_ID: &str = "set_config('wattyard.key_id', $2";

struct Statement {
    backend: u64,
    sql: String,
    parameters: Vec<Option<String>>,
}

/// Reads the log, writes the script.
pub fn run(log: &Path, answer: &Path, script: &Path) -> Result<()> {
    let log = std::fs::read_to_string(log)?;
    let answer: Value = serde_json::from_str(&std::fs::read_to_string(answer)?).unwrap_or_default();
    let (text, variables) = write(&of_request(&log)?, &answer)?;
    std::fs::write(script, text)?;
    Ok(std::fs::write(script.with_extension("vars"), variables)?)
}

/// The statements of the connections that asked who asks: every request does so first, and nothing else does.
fn of_request(log: &str) -> Result<Vec<Statement>> {
    let mut all = vec![];
    for line in log.lines() {
        let line: Value = serde_json::from_str(line)?;
        let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
        let Some((_, sql)) = text("message").split_once(": ").filter(|(how, _)| is_run(how)) else { continue };
        if !sql.starts_with("SET ") {
            let backend = line.get("pid").and_then(Value::as_u64).context("a line without a process")?;
            all.push(Statement { backend, sql: sql.to_owned(), parameters: parameters(text("detail")) });
        }
    }
    let asked: BTreeSet<u64> = all.iter().filter(|it| it.sql.contains("sessions")).map(|it| it.backend).collect();
    all.retain(|it| asked.contains(&it.backend));
    Ok(all)
}

/// `statement` or `execute NAME`.
fn is_run(how: &str) -> bool {
    how == "statement" || how.starts_with("execute ")
}

/// Reads `parameters: $1 = 'it''s', $2 = NULL`.
fn parameters(detail: &str) -> Vec<Option<String>> {
    let mut found = vec![];
    let mut rest = detail;
    while let Some((_, value)) = rest.split_once(" = ") {
        if let Some(after) = value.strip_prefix("NULL") {
            found.push(None);
            rest = after;
            continue;
        }
        let mut text = String::new();
        let mut signs = value.char_indices().skip(1).peekable();
        rest = "";
        while let Some((at, sign)) = signs.next() {
            if sign == '\'' && signs.next_if(|(_, next)| *next == '\'').is_none() {
                rest = value.get(at + 1..).unwrap_or_default();
                break;
            }
            text.push(sign);
        }
        found.push(Some(text));
    }
    found
}

/// The script and the variables that it wants. What was made by this request is made anew in each turn, in one statement
/// more than the server needs.
fn write(statements: &[Statement], answer: &Value) -> Result<(String, String)> {
    let (mut script, mut variables) = (String::new(), String::new());
    let number = |key: &str| answer.pointer(key).and_then(Value::as_str).map(str::to_owned);
    let (order_no, payment_no) = (number("/order/order_no"), number("/payment/payment_no"));
    let mut fresh: Vec<String> = payment_no.into_iter().collect();
    // An idempotency key is used once.
    fresh.extend(statements.iter().filter(|it| it.sql.contains(KEY_ID)).filter_map(|it| it.parameters.get(1)?.clone()));
    for value in statements.iter().flat_map(|it| &it.parameters).flatten() {
        if is_new(value) && !fresh.contains(value) {
            fresh.push(value.clone());
        }
    }
    if !fresh.is_empty() {
        let columns: Vec<String> = (0..fresh.len()).map(|n| format!("{FRESH} as fresh{n}")).collect();
        writeln!(script, "select {} \\gset", columns.join(", "))?;
    }
    for (at, Statement { sql, parameters, .. }) in statements.iter().enumerate() {
        let mut sql = sql.replace('\n', " ");
        // From the last to the first, or $1 would be found in $12.
        for (n, value) in parameters.iter().enumerate().rev() {
            let made = value.as_ref().and_then(|it| fresh.iter().position(|new| new == it));
            let name = match value {
                None => "null".to_owned(),
                Some(value) if Some(value) == order_no.as_ref() => ":order_no".to_owned(),
                Some(_) if made.is_some() => format!(":fresh{}", made.unwrap_or_default()),
                Some(value) => {
                    writeln!(variables, "p{at}_{n}={value}")?;
                    format!(":p{at}_{n}")
                }
            };
            sql = sql.replace(&format!("${}", n + 1), &name);
        }
        let end = if sql.contains("RETURNING") && sql.contains("\"order_no\"") { " \\gset" } else { ";" };
        writeln!(script, "{sql}{end}")?;
    }
    Ok((script, variables))
}

/// Whether this is the id of something that was made in the last minute.
fn is_new(value: &str) -> bool {
    let made = Uuid::parse_str(value).ok().and_then(|it| it.get_timestamp()).map(|it| it.to_unix().0);
    made.and_then(|it| i64::try_from(it).ok()).is_some_and(|it| (Utc::now().timestamp() - it).abs() < 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_postgres_logs() {
        let read = parameters("parameters: $1 = 'it''s, $2 = 5', $2 = NULL, $3 = '{\"a\": 1}'");
        assert_eq!(read, [Some("it's, $2 = 5".to_owned()), None, Some("{\"a\": 1}".to_owned())]);
        assert_eq!(parameters(""), []);
    }

    #[test]
    fn a_script_says_what_the_request_said_and_makes_new_what_it_made() {
        let id = Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext)).to_string();
        let statement = |sql: &str, values: &[&str]| Statement {
            backend: 1,
            sql: sql.to_owned(),
            parameters: values.iter().map(|it| Some((*it).to_owned())).collect(),
        };
        let statements = [
            statement("select set_config('wattyard.key_id', $2, true), $1", &["7", "a key"]),
            statement("INSERT INTO \"o\" VALUES ($1, $2) RETURNING \"order_no\"", &[&id, "5"]),
            statement("INSERT INTO s VALUES ($1, $2::text)", &[&id, "C1"]),
        ];
        let answer = serde_json::json!({"order": {"order_no": "C1"}});
        let (script, variables) = write(&statements, &answer).unwrap();
        let lines: Vec<&str> = script.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "select set_config('wattyard.key_id', :fresh0, true), :p0_0;",
                "INSERT INTO \"o\" VALUES (:fresh1, :p1_1) RETURNING \"order_no\" \\gset",
                "INSERT INTO s VALUES (:fresh1, :order_no::text);",
            ]
        );
        assert_eq!(variables, "p0_0=7\np1_1=5\n");
    }
}
