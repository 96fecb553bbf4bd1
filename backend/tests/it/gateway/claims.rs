//! Who may take the place of a connection that is there.

use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::{Charger, comings_and_goings, eventually, is_online, one_charger, protect, turned_away};
use crate::app::TestApp;

/// How a connection went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Went {
    /// It was not let in.
    Refused(u16),
    /// It was heard.
    Answered,
    /// It was closed.
    Closed(u16),
}

/// Connects, beats once, and reads until it is closed; says how it goes.
async fn live(connecting: impl Future<Output = Result<Charger, u16>>, told: mpsc::Sender<Went>) {
    let mut charger = match connecting.await {
        Ok(charger) => charger,
        Err(status) => return told.send(Went::Refused(status)).await.unwrap(),
    };
    charger.say(&json!([2, "beat", "Heartbeat", {}]).to_string()).await;
    loop {
        match charger.hear().await {
            Ok(frame) if frame[1] == "beat" => told.send(Went::Answered).await.unwrap(),
            Ok(_) => {}
            // Nobody may be left to hear it.
            Err(code) => return told.send(Went::Closed(code)).await.unwrap_or_default(),
        }
    }
}

fn occupied(serial_no: &str, knocks: i64) -> (String, String, String, i64) {
    (serial_no.to_owned(), "ocpp1.6".to_owned(), "occupied".to_owned(), knocks)
}

#[tokio::test]
async fn a_serial_number_alone_takes_nobodys_place() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let mut real = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    // The real one goes on reading, and so answers.
    let real = tokio::spawn(async move { real.closed().await });
    for _ in 0..2 {
        assert_eq!(Charger::try_connect(&app, &site.serial_no, &[super::OCPP]).await.err(), Some(409));
    }
    assert_eq!(turned_away(&app).await, [occupied(&site.serial_no, 2)]);
    assert!(is_online(&app, site.charger).await && !real.is_finished());
    // A password is proof; and without it there is no asking any more.
    protect(&app, site.charger, "a password").await;
    assert_eq!(Charger::log_in(&app, &site.serial_no, "another one").await.err(), Some(401));
    let mut proved = Charger::connect_with(&app, &site.serial_no, "a password").await;
    proved.boot().await;
    assert_eq!(real.await.unwrap(), 1000);
}

#[tokio::test]
async fn a_line_that_does_not_answer_gives_way() {
    let app = TestApp::with(|it| it.gateway.probe_seconds = 1).await;
    let (site, mut happenings) = one_charger(&app).await;
    // Nobody reads on this side: the pings of the server stay unanswered.
    let mut silent = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    let mut new = Charger::connect(&app, &site.serial_no).await;
    new.boot().await;
    assert_eq!(silent.closed().await, 1000);
    assert!(is_online(&app, site.charger).await);
    assert_eq!(comings_and_goings(&app, site.charger).await.pop(), Some((true, "reconnected".to_owned())));
    assert!(turned_away(&app).await.is_empty());
}

#[tokio::test]
async fn a_line_in_another_process_is_asked_too() {
    let app = TestApp::with(|it| it.gateway.probe_seconds = 1).await;
    let (site, mut happenings) = one_charger(&app).await;
    let elsewhere = TestApp::start(app.app.config.clone(), app.app.database_url.clone()).await;
    let mut real = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    let connect = || Charger::try_connect(&elsewhere, &site.serial_no, &[super::OCPP]);
    {
        let refused = async {
            assert_eq!(connect().await.err(), Some(409));
        };
        tokio::select! {
            code = real.closed() => panic!("closed with {code}"),
            () = refused => {}
        }
    }
    // It stops reading.
    connect().await.unwrap().boot().await;
    assert_eq!(real.closed().await, 1000);
}

#[tokio::test]
async fn of_twenty_at_once_without_a_password_one_is_let_in() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let (told, mut went) = mpsc::channel(100);
    let lives = (0..20).map(|_| live(Charger::try_connect(&app, &site.serial_no, &[super::OCPP]), told.clone()));
    let lives = futures_util::future::join_all(lives);
    let judge = async {
        let mut seen = vec![];
        while seen.len() < 20 {
            seen.push(went.recv().await.unwrap());
        }
        seen
    };
    let seen = tokio::select! {
        _ = lives => panic!("all of them ended"),
        seen = judge => seen,
    };
    let (answered, others): (Vec<Went>, Vec<Went>) = seen.into_iter().partition(|it| *it == Went::Answered);
    assert_eq!(answered.len(), 1);
    let fine = |it: &Went| matches!(it, Went::Refused(409) | Went::Closed(1000));
    assert!(others.iter().all(fine), "{others:?}");
    let came: Vec<_> = comings_and_goings(&app, site.charger).await.split_off(2);
    assert_eq!(came[0], (true, "connected".to_owned()));
}

#[tokio::test]
async fn of_twenty_at_once_with_the_password_the_last_stays() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    protect(&app, site.charger, "a password").await;
    let (told, mut went) = mpsc::channel(100);
    let lives = (0..20).map(|_| live(Charger::log_in(&app, &site.serial_no, "a password"), told.clone()));
    let lives = futures_util::future::join_all(lives);
    let judge = async {
        let mut closed = 0;
        while closed < 19 {
            match went.recv().await.unwrap() {
                Went::Answered => {}
                Went::Closed(1000) => closed += 1,
                other => panic!("{other:?}"),
            }
        }
        // The one that is left stays.
        assert!(
            tokio::time::timeout(Duration::from_secs(1), async {
                while went.recv().await.unwrap() == Went::Answered {}
            })
            .await
            .is_err()
        );
    };
    tokio::select! {
        _ = lives => panic!("all of them ended"),
        () = judge => {}
    }
    eventually(true, async || is_online(&app, site.charger).await).await;
}
