//! The table of requirements names only what exists.

use std::collections::HashSet;
use std::path::Path;

use backend::router;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap_or_default()
}

/// All sources below a folder, as one text.
fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_named_operation_page_and_test_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let operations: HashSet<String> = router::operations().into_iter().map(|it| it.id).collect();
    let mut tests = String::new();
    for folder in ["backend", "shared", "e2e", "frontend/tests"] {
        sources(&root.join(folder), &mut tests);
    }
    let mut pages = String::new();
    for folder in ["frontend/src", "shared/src"] {
        sources(&root.join(folder), &mut pages);
    }
    let table = read("docs/coverage.tsv");
    let mut ids = HashSet::new();
    let mut wrong = vec![];
    for line in table.lines().skip(1).filter(|it| !it.is_empty()) {
        let [id, named_operations, page, named_tests] = line.split('\t').collect::<Vec<_>>()[..] else {
            wrong.push(format!("not four columns: {line}"));
            continue;
        };
        if !ids.insert(id) {
            wrong.push(format!("{id} is there twice"));
        }
        let listed = |text: &'static str, of: &str| -> Vec<String> {
            of.split(' ').filter(|it| !it.is_empty() && *it != "-").map(|it| format!("{text}{it}")).collect()
        };
        for operation in listed("", named_operations).into_iter().filter(|it| !operations.contains(it)) {
            wrong.push(format!("{id}: no operation {operation}"));
        }
        if page != "-" && !pages.contains(&format!("\"{page}\"")) {
            wrong.push(format!("{id}: no page {page}"));
        }
        let tests_named = listed("fn ", named_tests);
        if tests_named.is_empty() {
            wrong.push(format!("{id}: no test"));
        }
        wrong.extend(
            tests_named.into_iter().filter(|it| !tests.contains(&format!("{it}("))).map(|it| format!("{id}: no {it}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ids.len() > 20, "the table is nearly empty");
}
