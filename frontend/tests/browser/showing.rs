//! Tabs, steps and files.

use std::cell::RefCell;
use std::rc::Rc;

use frontend::clock::pause;
use frontend::kit::steps::{Progress, Step, steps};
use frontend::kit::tabs::{Tab, tabs};
use frontend::kit::upload::{Stage, Upload, send, upload};
use leptos::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::bench::{press, script, show};

#[wasm_bindgen_test]
async fn tabs_obey_the_keyboard_and_draw_what_is_in_sight() {
    let shown = show(move || {
        let tab = |name, title, text: &'static str| Tab::new(name, title, move || text.into_any());
        let items = vec![tab("base", "基本", "甲"), tab("orders", "订单", "乙"), tab("log", "记录", "丙")];
        tabs("示例", items)
    });
    let sight = || (shown.texts("[role=tabpanel]").join(""), shown.texts("[aria-selected=true]").join(""));
    assert_eq!(sight(), ("甲".into(), "基本".into()));
    shown.click("[data-test=tab-orders]").await;
    assert_eq!(sight(), ("乙".into(), "订单".into()));
    press(&shown.find("[data-test=tab-orders]"), "ArrowRight").await;
    assert_eq!(sight(), ("丙".into(), "记录".into()));
    assert_eq!(document().active_element().unwrap().get_attribute("data-test").as_deref(), Some("tab-log"));
    press(&shown.find("[data-test=tab-log]"), "Home").await;
    assert_eq!(sight(), ("甲".into(), "基本".into()));
}

#[wasm_bindgen_test]
async fn steps_say_how_far_they_are() {
    let step = |title: &str, progress| Step { title: title.to_owned(), note: String::new(), progress };
    let shown = show(move || {
        steps(&[
            step("支付", Progress::Done),
            step("充电", Progress::Now),
            step("结算", Progress::Failed),
            step("到账", Progress::Ahead),
        ])
    });
    assert_eq!(shown.texts("[aria-current=step] .el-step__icon-inner"), ["2"]);
    let said = shown.texts(".el-step__title");
    assert_eq!(said, ["支付已完成", "充电进行中", "结算失败", "到账未开始"]);
    assert!(shown.has(".is-error .el-icon") && shown.has(".is-success .el-icon"));
}

#[wasm_bindgen_test]
async fn files_are_looked_at_before_they_are_taken() {
    let stage = RwSignal::new(Stage::Empty);
    let taken = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&taken);
    let shown = show(move || {
        let take = Box::new(move |file: web_sys::File| heard.borrow_mut().push(file));
        upload(Upload { name: "sheet", accept: &[".xlsx"], most_kb: 1024, stage, take })
    });
    let drop_file = |name: &str, size: u32| {
        let body = format!(
            "const files = new DataTransfer(); files.items.add(new File([new Uint8Array({size})], '{name}'));\
             it.dispatchEvent(new DragEvent('drop', {{ dataTransfer: files, bubbles: true, cancelable: true }}));"
        );
        script(&body, &shown.find(".upload-place"));
    };
    for (name, size, why) in [("a.png", 1, "只支持 .xlsx 文件"), ("a.xlsx", 1_048_577, "文件不能超过 1 MB")]
    {
        drop_file(name, size);
        pause(20).await;
        assert_eq!(shown.texts(".upload-why"), [why]);
    }
    assert!(taken.borrow().is_empty());
    drop_file("电站.XLSX", 100);
    pause(20).await;
    assert_eq!(stage.get_untracked(), Stage::Chosen("电站.XLSX".to_owned()));
    stage.set(Stage::Sending("电站.XLSX".to_owned(), 42));
    pause(20).await;
    assert_eq!(shown.says("[role=progressbar]", "aria-valuenow"), "42");
    // Nobody takes it here; that is told like any other failure.
    let file = taken.borrow().first().cloned().unwrap();
    let failure = send("nowhere/import", &file, stage).await.unwrap_err();
    assert!(failure.status >= 400, "{failure:?}");
    pause(20).await;
    assert_eq!(shown.texts(".upload-file.is-error .upload-name"), ["电站.XLSX"]);
}
