//! How a list looks as a sheet: numbers that can be added up, times that can be sorted, headings that stay in sight.

use std::fs::File;
use std::io::Seek;

use chrono::{Datelike, NaiveDateTime, Timelike};
use rust_xlsxwriter::{DataValidation, Format, IgnoreError, Workbook, Worksheet, XlsxError};
use shared::describe::{As, Cell, Column, Field, Input};
use shared::text::{Lang, Text, t};
use shared::time::local;
use tokio::sync::mpsc;

use crate::error::{Error, Result};

/// What one worksheet can hold besides its headings.
const SHEET_ROWS: u32 = 1_048_575;
/// Signs that the name of a worksheet can have.
const NAME_SIGNS: usize = 31;
/// Signs that one cell can hold.
const CELL_SIGNS: usize = 32_767;
/// Every whole number up to this is a number of its own in a sheet, whose numbers have 53 bits.
const EXACT: u64 = 1 << 53;
/// Numbers with more places than this are shown as they come.
const PLACES: usize = 4;

/// Writes the rows that come, into an unnamed file.
///
/// # Errors
/// The sheet cannot be written.
pub fn write(
    title: Text,
    columns: &'static [Column],
    mut rows: mpsc::Receiver<Vec<Vec<Cell>>>,
    lang: Lang,
) -> Result<File> {
    let mut writer = Writer::begin(title.get(lang), columns, lang).map_err(failed)?;
    while let Some(chunk) = rows.blocking_recv() {
        for row in &chunk {
            writer.row(row).map_err(failed)?;
        }
    }
    writer.end().map_err(failed)?;
    let mut file = crate::cluster::tempfile()?;
    writer.book.save_to_writer(&mut file).map_err(failed)?;
    file.rewind().map_err(anyhow::Error::from)?;
    Ok(file)
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over errors")]
fn failed(err: XlsxError) -> Error {
    Error::internal(format!("writing a sheet: {err}"))
}

/// A workbook that is being written, one worksheet after the other.
struct Writer {
    book: Workbook,
    title: &'static str,
    columns: &'static [Column],
    lang: Lang,
    formats: Formats,
    /// The worksheets so far.
    sheets: usize,
    /// The rows of the last one.
    rows: u32,
}

impl Writer {
    fn begin(title: &'static str, columns: &'static [Column], lang: Lang) -> Result<Self, XlsxError> {
        let formats = Formats::new();
        let mut it = Self { book: Workbook::new(), title, columns, lang, formats, sheets: 0, rows: 0 };
        it.begin_sheet()?;
        Ok(it)
    }

    /// The next worksheet, with its headings and whatever concerns whole columns.
    fn begin_sheet(&mut self) -> Result<(), XlsxError> {
        self.sheets += 1;
        self.rows = 0;
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(sheet_name(self.title, self.sheets))?;
        sheet.set_freeze_panes(1, 1)?;
        for (number, column) in (0..).zip(self.columns) {
            let label = column.fact.label.get(self.lang);
            sheet.set_column_width(number, width(column.fact.shown, label))?;
            sheet.write_string_with_format(0, number, label, &self.formats.heading)?;
        }
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), XlsxError> {
        if self.rows == SHEET_ROWS {
            self.end()?;
            self.begin_sheet()?;
        }
        self.rows += 1;
        let sheet = self.book.worksheet_from_index(self.sheets - 1)?;
        for (number, cell) in (0..).zip(cells) {
            self.formats.write(sheet, (self.rows, number), cell, self.lang)?;
        }
        Ok(())
    }

    /// What can be told of the last worksheet only once all of its rows are there.
    fn end(&mut self) -> Result<(), XlsxError> {
        let sheet = self.book.worksheet_from_index(self.sheets - 1)?;
        let last = u16::try_from(self.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
        sheet.autofilter(0, 0, self.rows, last)?;
        for (number, column) in (0..).zip(self.columns) {
            // Telephones and serial numbers are text on purpose; nobody needs to be warned of each.
            if self.rows > 0 && matches!(column.fact.shown, As::Text | As::Link(..)) {
                sheet.ignore_error_range(1, number, self.rows, number, IgnoreError::NumberStoredAsText)?;
            }
        }
        Ok(())
    }
}

/// How cells look.
struct Formats {
    heading: Format,
    money: Format,
    time: Format,
    duration: Format,
    /// By the number of places.
    numbers: Vec<Format>,
}

impl Formats {
    fn new() -> Self {
        let like = |format: &str| Format::new().set_num_format(format);
        let zeros = |places: usize| if places == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(places)) };
        Self {
            heading: Format::new().set_bold(),
            money: like("#,##0.00"),
            time: like("yyyy-mm-dd hh:mm:ss"),
            duration: like("[h]:mm:ss"),
            numbers: (0..=PLACES).map(|places| like(&zeros(places))).collect(),
        }
    }

    fn write(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        cell: &Cell,
        lang: Lang,
    ) -> Result<(), XlsxError> {
        let number = match cell {
            Cell::Empty => return Ok(()),
            Cell::Fen(fen) => number(&fen.yuan()).map(|(it, _)| (it, Some(&self.money))),
            Cell::Number(text) => number(text).map(|(it, places)| (it, self.numbers.get(places))),
            Cell::Duration(seconds) => days(*seconds).map(|it| (it, Some(&self.duration))),
            Cell::Time(at) => {
                if let Some(at) = shown_by_sheets(local(*at)) {
                    sheet.write_datetime_with_format(row, column, at, &self.time)?;
                    return Ok(());
                }
                None
            }
            Cell::Text(_) | Cell::Tag(..) | Cell::Tags(_) | Cell::Words { .. } | Cell::Link { .. } => None,
        };
        match number {
            Some((it, Some(format))) => sheet.write_number_with_format(row, column, it, format)?,
            Some((it, None)) => sheet.write_number(row, column, it)?,
            // Text is written as text, so a cell that begins with `=` is inert.
            None => sheet.write_string(row, column, cut(cell.plain(lang)))?,
        };
        Ok(())
    }
}

/// A decimal text as the number of a sheet, and how many places it has. This is the one place where an amount becomes a
/// float, for sheets know no other numbers: it is the float nearest to the decimal, which reads as that decimal again. Text
/// that is no plain decimal, or has more digits than a float can tell apart, is none.
fn number(text: &str) -> Option<(f64, usize)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|it| it.is_ascii_digit()) {
        return None;
    }
    let digits: u64 = format!("{whole}{fraction}").parse().ok()?;
    if digits > EXACT { None } else { Some((text.parse().ok()?, fraction.len())) }
}

/// So many seconds in days, which is how a sheet counts time.
fn days(seconds: u64) -> Option<f64> {
    Some(f64::from(u32::try_from(seconds).ok()?) / 86_400.0)
}

/// A time to the second, if it lies where sheets have days.
fn shown_by_sheets(at: NaiveDateTime) -> Option<NaiveDateTime> {
    at.with_nanosecond(0).filter(|it| (1900..=9999).contains(&it.year()))
}

fn cut(text: String) -> String {
    if text.len() <= CELL_SIGNS { text } else { text.chars().take(CELL_SIGNS).collect() }
}

/// What a worksheet is called: as its page, without what no name may have; further ones are numbered.
fn sheet_name(title: &str, number: usize) -> String {
    let end = if number > 1 { format!(" ({number})") } else { String::new() };
    let fits = |it: &char| !it.is_control() && !r"[]:*?/\".contains(*it);
    let name: String = title.chars().filter(fits).take(NAME_SIGNS.saturating_sub(end.len())).collect();
    let name = name.trim_matches(|it: char| it == '\'' || it == ' ');
    format!("{}{end}", if name.is_empty() { "Sheet" } else { name })
}

/// How wide a column is: enough for what it usually holds, and for its heading with the filter's arrow.
fn width(shown: As, label: &str) -> u16 {
    let content = match shown {
        As::Flag | As::Enabled => 8,
        As::Number | As::Watts | As::Thousandths | As::Fen | As::Duration | As::Count => 12,
        As::Code(_) => 14,
        As::Actor => 16,
        As::Time => 20,
        As::Text | As::Link(..) => 22,
        As::List | As::Words(_) | As::Made(_) => 26,
    };
    content.max(breadth(label) + 4)
}

/// How many Latin letters are as wide as a text.
fn breadth(text: &str) -> u16 {
    text.chars().map(|it| if it.is_ascii() { 1 } else { 2 }).sum()
}

/// An empty sheet to fill in: headings, and the choices where there are some.
///
/// # Errors
/// It cannot be written.
pub fn template(title: Text, columns: &[(String, &Field)], rows: u32, lang: Lang) -> Result<Vec<u8>> {
    let written = || -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name(sheet_name(title.get(lang), 1))?;
        sheet.set_freeze_panes(1, 0)?;
        let (bold, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
        for (number, (heading, field)) in (0..).zip(columns) {
            sheet.write_string_with_format(0, number, heading, &bold)?;
            sheet.set_column_width(number, breadth(heading).max(14) + 4)?;
            match field.input {
                Input::Int { .. } | Input::Watts { .. } | Input::Fen { .. } | Input::Degrees { .. } => {}
                // Or long numbers of chargers and cards would become floats as they are typed.
                _ => drop(sheet.set_column_format(number, &text)?),
            }
            let choices = match field.input {
                Input::Choice(choices) => choices.iter().map(|it| it.label.get(lang)).collect(),
                Input::Switch => vec![t("是", "Yes").get(lang), t("否", "No").get(lang)],
                _ => vec![],
            };
            // There may be more choices than a sheet can offer; they are then typed.
            if let (false, Ok(list)) = (choices.is_empty(), DataValidation::new().allow_list_strings(&choices)) {
                sheet.add_data_validation(1, number, rows, number, &list)?;
            }
        }
        book.save_to_buffer()
    };
    written().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_the_nearest_number_or_stay_text() {
        assert_eq!(number("0"), Some((0.0, 0)));
        assert_eq!(number("-33.45"), Some((-33.45, 2)));
        assert_eq!(number("22.9000"), Some((22.9, 4)));
        assert_eq!(number("90071992547409.92"), Some((90_071_992_547_409.92, 2)));
        for text in
            ["", "-", ".5", "1 / 2", "0.9 – 1.4", "1e3", "+5", "NaN", "90071992547409.93", "99999999999999999999"]
        {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn every_amount_that_is_a_number_reads_as_the_same_amount() {
        for fen in (0..1_000_000_i64).step_by(37).chain([9_007_199_254_740_991, 123_456_789_012_345]) {
            let yuan = shared::fixed::Fen(fen).yuan();
            let (float, _) = number(&yuan).unwrap();
            assert_eq!(format!("{float:.2}"), yuan);
        }
    }

    #[test]
    fn worksheets_are_called_like_their_page() {
        assert_eq!(sheet_name("汽车订单", 1), "汽车订单");
        assert_eq!(sheet_name("汽车订单", 12), "汽车订单 (12)");
        assert_eq!(sheet_name("'a/b: [c]*?\\'", 1), "ab c");
        assert_eq!(sheet_name(":", 1), "Sheet");
        let long = "x".repeat(40);
        assert_eq!(sheet_name(&long, 1).len(), 31);
        assert_eq!(sheet_name(&long, 2), format!("{} (2)", "x".repeat(27)));
    }

    #[test]
    fn a_heading_fits_into_its_column() {
        assert_eq!(width(As::Flag, "是否"), 8);
        assert_eq!(width(As::Fen, "预付(元)"), 12);
        assert_eq!(width(As::Flag, "Energy fee (yuan)"), 21);
    }
}
