//! Sheets that come in: hostile ones cost nothing, and few are read at once.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use backend::crud::sheet_reader;
use diesel_async::RunQueryDsl;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::app::{Answer, Client, TestApp};

const IMPORT: &str = "/api/v1/car/areas/import";

/// A workbook of these parts, besides those that lead to its first sheet.
fn book(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let root = format!(
        r#"<Relationships><Relationship Id="rId1" Type="{kind}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let book = r#"<workbook><sheets><sheet name="甲" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    let relations = format!(
        r#"<Relationships><Relationship Id="rId1" Type="{kind}/worksheet" Target="worksheets/sheet1.xml"/>
        <Relationship Id="rId2" Type="{kind}/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#
    );
    let usual = [
        ("_rels/.rels", root.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/sharedStrings.xml", b"<sst></sst>"),
    ];
    let mut file = ZipWriter::new(Cursor::new(vec![]));
    let missing = usual.into_iter().filter(|(name, _)| !parts.iter().any(|it| it.0 == *name));
    for (name, content) in missing.chain(parts.iter().copied()) {
        file.start_file(name, SimpleFileOptions::default()).unwrap();
        file.write_all(content).unwrap();
    }
    file.finish().unwrap().into_inner()
}

/// A workbook whose sheet has these rows, and whose cells share these strings.
fn with(rows: &str, strings: &str) -> Vec<u8> {
    let sheet = format!(r#"<worksheet><dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData></worksheet>"#);
    book(&[("xl/worksheets/sheet1.xml", sheet.as_bytes()), ("xl/sharedStrings.xml", strings.as_bytes())])
}

/// A workbook with a heading and this cell besides.
fn with_cell(at: &str) -> Vec<u8> {
    let cell = |at: &str| format!(r#"<row><c r="{at}" t="inlineStr"><is><t>x</t></is></c></row>"#);
    with(&(cell("A1") + &cell(at)), "<sst/>")
}

async fn import(client: &Client, file: &[u8]) -> Answer {
    client.send(Method::POST, IMPORT, Some(file.to_vec()), &[]).await
}

/// The most memory that this process, the server within it, has had since it was last asked, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    kib / 1024
}

#[tokio::test]
async fn sheets_that_are_larger_than_they_look_are_refused_before_they_cost_anything() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let spaces = vec![b' '; 50 << 20];
    let bomb = book(&[("xl/worksheets/sheet1.xml", &spaces)]);
    // The archive says that it unfolds to a hundred bytes.
    let size = u32::try_from(spaces.len()).unwrap().to_le_bytes();
    let mut liar = bomb.clone();
    let places: Vec<usize> = (0..liar.len() - 4).filter(|at| liar[*at..*at + 4] == size).collect();
    assert!(!places.is_empty());
    for at in places {
        liar[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
    }
    drop(spaces);
    let long = format!("<sst><si><t>{}</t></si></sst>", "长".repeat(45_000));
    let shared = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(100_000));
    let mut everywhere = String::new();
    for row in 1..=1000 {
        write!(everywhere, r#"<row r="{row}"><c t="s"><v>0</v></c></row>"#).unwrap();
    }
    let entities = r#"<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    let entities = format!("{entities}<worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></worksheet>");
    let refused: Vec<(&str, Vec<u8>, &str)> = vec![
        ("the last cell", with_cell("XFD1048576"), "too_long"),
        ("a far column", with_cell("XFD5000"), "too_wide"),
        ("a row too many", with_cell("A5002"), "too_long"),
        ("a column too many", with_cell("BM1"), "too_wide"),
        ("no cell at all", with_cell("ZZZZZZZZZZZZZZZZZZZZ99999999999999999999"), "format"),
        ("row zero", with_cell("A0"), "format"),
        ("a bomb", bomb, "too_large"),
        ("one long text in every row", with(&everywhere, &shared), "too_large"),
        ("a text that is too long", with(r#"<row><c t="s"><v>0</v></c></row>"#, &long), "too_large"),
        ("a million empty texts", with("", &format!("<sst>{}</sst>", "<si/>".repeat(1_100_000))), "too_large"),
        ("a string that is not there", with(r#"<row><c t="s"><v>7</v></c></row>"#, "<sst/>"), "format"),
        ("entities", book(&[("xl/worksheets/sheet1.xml", entities.as_bytes())]), "format"),
        ("U+0000", with("<row><c t=\"str\"><v>a&#0;b</v></c></row>", "<sst/>"), "format"),
        ("no sheet", book(&[]), "format"),
        ("no archive", b"PK\x03\x04".to_vec(), "format"),
    ];
    peak();
    let before = peak();
    for (what, file, code) in &refused {
        let answer = import(&tenant.boss, file).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![("file", *code)]), "{what}");
    }
    // Whether such an archive is taken for damaged or found to be too large is the same to us.
    let answer = import(&tenant.boss, &liar).await;
    assert_eq!((answer.status, answer.fields()[0].0), (422, "file"), "{}", answer.json);
    let grown = peak().saturating_sub(before);
    assert!(grown < 256, "{grown} MiB more than before");
}

#[tokio::test]
async fn what_a_sheet_claims_of_itself_is_not_believed() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let rows = r#"<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row>"#;
    let strings =
        r#"<sst count="4294967295" uniqueCount="99999999999"><si><t>所属电站*</t></si><si><t>甲</t></si></sst>"#;
    let nested = format!("{}{rows}", "<x>".repeat(200_000));
    let font = "x".repeat(1 << 20);
    let styles = format!(
        r#"<styleSheet><fonts><font><name val="{font}"/></font></fonts><cellXfs>{}</cellXfs></styleSheet>"#,
        r#"<xf fontId="0"/>"#.repeat(20_000)
    );
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let styled = book(&[
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
    ]);
    // A colour far outside is no content.
    let coloured = format!(r#"{rows}<row r="1048576"><c r="XFD1048576" s="1"/></row>"#);
    let files = [with(rows, strings), with(&nested, strings), styled, with(&coloured, strings)];
    peak();
    let before = peak();
    for (at, file) in files.iter().enumerate() {
        let answer = import(&tenant.boss, file).await;
        assert_eq!(answer.fields(), [("2:所属电站", "choice"), ("2:区域名称", "required")], "{at}");
    }
    let grown = peak().saturating_sub(before);
    assert!(grown < 64, "{grown} MiB more than before");
}

#[test]
fn the_largest_sheet_that_is_taken_is_read_whole() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for column in 0..64_u16 {
        for row in 0..=5000_u32 {
            sheet.write_string(row, column, format!("格{row}-{column}")).unwrap();
        }
    }
    sheet.write_number(5000, 0, 13_800_000_001_f64).unwrap();
    sheet.write_boolean(5000, 1, true).unwrap();
    let read = sheet_reader::read(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!((read.headings.len(), read.headings[63].as_str()), (64, "格0-63"));
    let (number, last) = read.lines.last().unwrap();
    assert_eq!((read.lines.len(), *number, last.len()), (5000, 5001, 64));
    assert_eq!((last[0].as_str(), last[1].as_str(), last[63].as_str()), ("13800000001", "true", "格5000-63"));
}

#[test]
fn cells_are_read_as_people_see_them() {
    let strings = "<sst><si><t xml:space=\"preserve\"> 甲&amp;乙 </t></si>\
        <si><r><t>东</t></r><r><t>区</t></r><rPh><t>ひがし</t></rPh></si></sst>";
    let rows = r#"<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="inlineStr"><is><t>站*</t></is></c></row>
        <row/><row><c><v>1.3800000001E10</v></c><c t="b"><v>0</v></c><c t="str"><f>A1</f><v>a_x000A_b</v></c></row>
        <row r="9"><c r="C9"><v>7.50</v></c></row>"#;
    let read = sheet_reader::read(&with(rows, strings)).unwrap();
    assert_eq!(read.headings, ["甲&乙", "东区", "站"]);
    let line = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    assert_eq!(read.lines, [(3, line(&["13800000001", "false", "a\nb"])), (9, line(&["", "", "7.5"]))]);
}

#[tokio::test]
async fn too_many_imports_at_once_are_sent_away() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let station = tenant.boss.get(&format!("/api/v1/car/stations/{}", site.station)).await.ok()["name"].clone();
    let file = |name: usize| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, text) in (0..).zip(["所属电站", "区域名称"]) {
            sheet.write_string(0, column, text).unwrap();
        }
        sheet.write_string(1, 0, station.as_str().unwrap()).unwrap();
        sheet.write_string(1, 1, format!("区{name}")).unwrap();
        book.save_to_buffer().unwrap()
    };
    let mut conn = app.conn().await;
    let mut run = async |sql: &str| diesel::sql_query(sql).execute(&mut conn).await.unwrap();
    run("begin").await;
    run("lock table areas in exclusive mode").await;
    let files: Vec<Vec<u8>> = (0..9).map(file).collect();
    let mut imports: FuturesUnordered<_> = files.iter().map(|it| import(&tenant.boss, it)).collect();
    // Two wait for the table and six for those two: only the ninth can have an answer.
    let refused = imports.next().await.unwrap();
    assert_eq!(refused.refused(), (429, "limited"));
    assert_eq!(refused.headers["retry-after"], "10");
    run("commit").await;
    while let Some(answer) = imports.next().await {
        assert_eq!(answer.ok(), json!({"imported": 1}));
    }
}
