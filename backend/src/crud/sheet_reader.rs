//! Reads the first sheet of an xlsx file of which nothing is believed. Its parts are read as streams and counted as they
//! unfold, no size that the file claims is used, and a sheet that is larger than one to fill in is refused at the first
//! cell that lies outside.
//!
//! This is not left to calamine: it makes room for as many strings as a file claims to have, copies fonts and paths as
//! often as a file asks for them, and lays a sheet out by its corners. A kilobyte can ask for terabytes.

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, ErrorKind, Read};

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion, escape};
use shared::text::t;
use zip::ZipArchive;

use crate::error::{Error, Result};

/// The most that a file may unfold to: a small one can hold a huge one.
const MAX_UNPACKED: u64 = 48 << 20;
/// The most rows of data, besides the headings.
pub const MAX_ROWS: usize = 5000;
/// The most columns.
pub const MAX_COLUMNS: usize = 64;
/// The most texts that cells can share: other sheets of the file have theirs among them.
const MAX_STRINGS: usize = 1 << 20;
/// The longest text of a cell in bytes: 32,767 characters are the most that spreadsheet programs take.
const MAX_TEXT: usize = 4 * 32_767;
/// The most that the texts of all cells take together: any number of cells can share one long text.
const MAX_TEXTS: usize = 32 << 20;

/// The cells of a sheet as texts.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The first row, without the mark of what is required.
    pub headings: Vec<String>,
    /// The other rows that hold anything, with their numbers as people see them. Empty cells at the end are left out.
    pub lines: Vec<(usize, Vec<String>)>,
}

/// Reads a file's first sheet.
///
/// # Errors
/// 422 on `file` when it is no sheet, or one that is too large.
pub fn read(bytes: &[u8]) -> Result<Sheet> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let mut book = Book { archive, left: MAX_UNPACKED };
    let Parts { sheet, strings } = book.parts()?;
    let strings = match strings {
        Some(path) => book.strings(&path)?,
        None => vec![],
    };
    let mut rows = book.cells(&sheet, &strings)?;
    let headings = rows.remove(&1).unwrap_or_default();
    let headings = headings.into_iter().map(|it| it.trim_end_matches('*').trim().to_owned()).collect();
    Ok(Sheet { headings, lines: rows.into_iter().collect() })
}

/// The file is no workbook, or a damaged one.
pub fn broken() -> Error {
    Error::field("file", "format", t("不是有效的 xlsx 文件", "Not a readable xlsx file"))
}

fn too_large() -> Error {
    Error::field("file", "too_large", t("文件解压后过大", "The file unfolds to more than is taken"))
}

fn too_many_rows() -> Error {
    let text = t("一次最多导入 5000 行（不含标题行）", "At most 5,000 rows at once, besides the headings");
    Error::field("file", "too_long", text)
}

fn too_many_columns() -> Error {
    Error::field("file", "too_wide", t("最多 64 列", "At most 64 columns"))
}

fn unreadable(err: &quick_xml::Error) -> Error {
    match err {
        quick_xml::Error::Io(err) if err.kind() == ErrorKind::FileTooLarge => too_large(),
        _ => broken(),
    }
}

/// Counts what is really unfolded, and fails when it is too much.
struct Counted<'a, R> {
    inner: R,
    left: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let count_wide = u64::try_from(count).unwrap_or(u64::MAX);
        *self.left = self.left.checked_sub(count_wide).ok_or(ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

/// A part of the file, read event by event.
struct Xml<'a> {
    reader: Reader<BufReader<Box<dyn Read + 'a>>>,
    buffer: Vec<u8>,
}

impl Xml<'_> {
    fn next(&mut self) -> Result<Event<'_>> {
        self.buffer.clear();
        self.reader.read_event_into(&mut self.buffer).map_err(|err| unreadable(&err))
    }

    /// The text up to the end of an element. What helps to pronounce it is not part of it.
    fn text(&mut self, element: &str) -> Result<String> {
        let mut text = String::new();
        let mut within = false;
        let mut aside = 0_usize;
        loop {
            match self.next()? {
                Event::Start(it) if it.local_name().as_ref() == "t" => within = true,
                Event::Start(it) if it.local_name().as_ref() == "rPh" => aside += 1,
                Event::End(it) if it.local_name().as_ref() == "rPh" => aside = aside.saturating_sub(1),
                Event::End(it) if it.local_name().as_ref() == element => return Ok(text),
                Event::End(it) if it.local_name().as_ref() == "t" => within = false,
                Event::Eof => return Err(broken()),
                event if within && aside == 0 => push(&mut text, &event)?,
                _ => {}
            }
        }
    }

    /// The text of a `v` element, up to its end.
    fn value(&mut self) -> Result<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                Event::End(it) if it.local_name().as_ref() == "v" => return Ok(text),
                Event::Eof => return Err(broken()),
                event => push(&mut text, &event)?,
            }
        }
    }

    /// The text of a cell, up to its end.
    fn cell(&mut self, kind: &str, strings: &[Box<str>]) -> Result<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                Event::Start(it) if it.local_name().as_ref() == "v" => {
                    let value = self.value()?;
                    // What stands in the cell itself is told by `is`.
                    if kind != "inlineStr" {
                        text = meant(kind, value, strings)?;
                    }
                }
                Event::Start(it) if it.local_name().as_ref() == "is" => text = unescaped(&self.text("is")?),
                Event::End(it) if it.local_name().as_ref() == "c" => return Ok(text),
                Event::Eof => return Err(broken()),
                _ => {}
            }
        }
    }
}

/// Adds what an event has of a text.
fn push(text: &mut String, event: &Event<'_>) -> Result<()> {
    let more = match event {
        Event::Text(it) => it.xml10_content(),
        Event::CData(it) => it.xml10_content(),
        Event::GeneralRef(it) => referred(it)?.into(),
        _ => return Ok(()),
    };
    // XML cannot hold it, and the database cannot keep it.
    if more.contains('\0') {
        return Err(broken());
    }
    text.push_str(&more);
    if text.len() > MAX_TEXT { Err(too_large()) } else { Ok(()) }
}

/// What `&amp;` or `&#65;` means. Nothing else can be referred to: entities of a file's own are not unfolded.
fn referred(it: &BytesRef<'_>) -> Result<String> {
    if let Some(known) = escape::resolve_predefined_entity(it) {
        return Ok(known.to_owned());
    }
    let sign = it.resolve_char_ref().map_err(|err| unreadable(&err))?;
    sign.map(String::from).ok_or_else(broken)
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|it| it.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

/// Where the parts lie that hold cells.
struct Parts {
    sheet: String,
    strings: Option<String>,
}

struct Book<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl Book<'_> {
    /// A part, by its path; some programs write paths in other cases, or with the other slash.
    fn part(&mut self, path: &str) -> Result<Option<Xml<'_>>> {
        let alike = |it: &str| it.replace('\\', "/").eq_ignore_ascii_case(path);
        let index = self.archive.file_names().position(|it| it.is_ok_and(|it| alike(&it)));
        let Some(index) = index else { return Ok(None) };
        let inner = self.archive.by_index(index).map_err(|_| broken())?;
        let counted: Box<dyn Read + '_> = Box::new(Counted { inner, left: &mut self.left });
        let mut reader = Reader::from_reader(BufReader::new(counted));
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        // Names of open elements would be kept, however deep they are nested.
        config.check_end_names = false;
        Ok(Some(Xml { reader, buffer: vec![] }))
    }

    fn required(&mut self, path: &str) -> Result<Xml<'_>> {
        self.part(path)?.ok_or_else(broken)
    }

    /// What the first element of this name says that says anything.
    fn first<T>(
        &mut self,
        path: &str,
        element: &str,
        said: impl Fn(&BytesStart<'_>) -> Option<T>,
    ) -> Result<Option<T>> {
        let mut part = self.required(path)?;
        loop {
            match part.next()? {
                Event::Start(it) if it.local_name().as_ref() == element => {
                    if let Some(said) = said(&it) {
                        return Ok(Some(said));
                    }
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    /// Where a relation leads whose attribute has this value, or ends with it.
    fn related(&mut self, path: &str, name: &str, value: &str) -> Result<Option<String>> {
        self.first(path, "Relationship", |it| {
            attribute(it, name).filter(|it| it.ends_with(value))?;
            attribute(it, "Target")
        })
    }

    fn parts(&mut self) -> Result<Parts> {
        let book = self.related("_rels/.rels", "Type", "/officeDocument")?.ok_or_else(broken)?;
        let book = book.trim_start_matches('/');
        let (folder, name) = book.rsplit_once('/').map_or(("", book), |(folder, name)| (folder, name));
        let within = |path: &str| match path.strip_prefix('/') {
            Some(path) => path.to_owned(),
            None if folder.is_empty() => path.to_owned(),
            None => format!("{folder}/{path}"),
        };
        let first = self.first(book, "sheet", |it| attribute(it, "id"))?.ok_or_else(broken)?;
        let relations = within(&format!("_rels/{name}.rels"));
        let sheet = self.first(&relations, "Relationship", |it| {
            attribute(it, "Id").filter(|it| *it == first)?;
            attribute(it, "Target")
        })?;
        let strings = self.related(&relations, "Type", "/sharedStrings")?;
        Ok(Parts { sheet: within(&sheet.ok_or_else(broken)?), strings: strings.map(|it| within(&it)) })
    }

    /// The texts that cells refer to by number.
    fn strings(&mut self, path: &str) -> Result<Vec<Box<str>>> {
        let mut part = self.required(path)?;
        let mut strings = vec![];
        loop {
            match part.next()? {
                Event::Start(it) if it.local_name().as_ref() == "si" => {}
                Event::Eof => return Ok(strings),
                _ => continue,
            }
            if strings.len() == MAX_STRINGS {
                return Err(too_large());
            }
            strings.push(unescaped(&part.text("si")?).trim().into());
        }
    }

    /// The cells that hold anything, by row from 1 and column from 0.
    fn cells(&mut self, path: &str, strings: &[Box<str>]) -> Result<BTreeMap<usize, Vec<String>>> {
        let mut part = self.required(path)?;
        let mut rows: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let (mut row, mut column, mut size) = (0_usize, 0_usize, 0_usize);
        loop {
            let kind = match part.next()? {
                Event::Start(it) if it.local_name().as_ref() == "row" => {
                    let said = attribute(&it, "r").and_then(|it| it.parse().ok());
                    (row, column) = (said.unwrap_or_else(|| row.saturating_add(1)), 0);
                    continue;
                }
                Event::Start(it) if it.local_name().as_ref() == "c" => {
                    if let Some(at) = attribute(&it, "r") {
                        (row, column) = position(&at).ok_or_else(broken)?;
                    }
                    attribute(&it, "t").unwrap_or_default()
                }
                Event::Eof => return Ok(rows),
                _ => continue,
            };
            let text = part.cell(&kind, strings)?;
            let text = text.trim();
            // Cells far outside can have a colour and no content.
            if !text.is_empty() {
                if row == 0 {
                    return Err(broken());
                }
                if row > MAX_ROWS + 1 {
                    return Err(too_many_rows());
                }
                if column >= MAX_COLUMNS {
                    return Err(too_many_columns());
                }
                size = size.saturating_add(text.len());
                if size > MAX_TEXTS {
                    return Err(too_large());
                }
                let line = rows.entry(row).or_default();
                if line.len() <= column {
                    line.resize(column + 1, String::new());
                }
                if let Some(cell) = line.get_mut(column) {
                    text.clone_into(cell);
                }
            }
            column = column.saturating_add(1);
        }
    }
}

/// What a value means as text.
fn meant(kind: &str, value: String, strings: &[Box<str>]) -> Result<String> {
    let value = match kind {
        "s" => {
            let known = value.trim().parse::<usize>().ok().and_then(|it| strings.get(it));
            known.ok_or_else(broken)?.clone().into_string()
        }
        "b" => if value.trim() == "1" { "true" } else { "false" }.to_owned(),
        "str" => unescaped(&value),
        // 13800000001 may be written as 1.3800000001E10.
        "n" | "" => value.trim().parse::<f64>().map_or(value, |it| it.to_string()),
        _ => value,
    };
    Ok(value)
}

/// `B3` is the third row's second cell.
fn position(text: &str) -> Option<(usize, usize)> {
    let digits = text.find(|it: char| it.is_ascii_digit())?;
    let (letters, digits) = text.split_at_checked(digits)?;
    let mut column = 0_usize;
    for letter in letters.bytes() {
        let value = usize::from(letter.to_ascii_uppercase().checked_sub(b'A').filter(|it| *it < 26)?);
        column = column.checked_mul(26)?.checked_add(value + 1)?;
    }
    Some((digits.parse().ok()?, column.checked_sub(1)?))
}

/// Spreadsheet programs write signs that XML has not as `_x000D_`.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let sign = after.split_at_checked(4).filter(|(_, rest)| rest.starts_with('_')).and_then(|(code, _)| {
            let code = u32::from_str_radix(code, 16).ok()?;
            char::from_u32(code).filter(|it| *it != '\0')
        });
        match sign {
            Some(sign) => {
                plain.push(sign);
                rest = after.get(5..).unwrap_or_default();
            }
            None => {
                plain.push_str("_x");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_and_never_overflow() {
        assert_eq!(position("A1"), Some((1, 0)));
        assert_eq!(position("bl5001"), Some((5001, 63)));
        assert_eq!(position("XFD1048576"), Some((1_048_576, 16_383)));
        for wrong in
            ["", "A", "1", "A-1", "Ä1", "A1B", &format!("A{}", "9".repeat(40)), &format!("{}1", "Z".repeat(40))]
        {
            assert_eq!(position(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn escaped_signs_are_read() {
        assert_eq!(unescaped("a_x000A_b_x005F_x000D_"), "a\nb_x000D_");
        for plain in ["_x0000_", "_x", "_xZZZZ_", "a_x00", "_xD83D_", "站_x站站站站_"] {
            assert_eq!(unescaped(plain), plain);
        }
    }
}
