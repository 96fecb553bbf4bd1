//! Jobs: what has to happen after a change, and whether it did. Dead ones wait for somebody to look.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::{Code, codes};
use crate::describe::{Action, As, Column, Field, Input};
use crate::resource::{Resource, Row};
use crate::text::{Text, t};
use crate::user::UserKind;

codes! {
    /// What a job does.
    pub enum JobKind {
        WakeWatch = "wake_watch", Info, "提前检查充电", "Look after a charge sooner";
        WatchCharge = "watch_charge", Info, "监视充电", "Watch a charge";
        WatchPayment = "payment.watch", Info, "监视支付", "Watch a payment";
        ProcessNotice = "inbox.process", Info, "处理支付通知", "Take in what a channel told";
        SendRefund = "refund.send", Info, "执行退款", "Carry out a refund";
        CarryInvoice = "invoice.carry", Info, "开具发票", "Have an invoice issued or voided";
        SweepCommands = "sweep_commands", Info, "清理设备指令", "End commands that nobody answers";
        WatchPresence = "watch_presence", Info, "检查设备在线", "Find chargers that went away";
        ExpireReservation = "expire_reservation", Info, "预约到时", "End a reservation whose car does not come";
        Housekeep = "housekeep", Info, "清理过期数据", "Throw away what was kept long enough";
    }
    /// Where a job stands.
    pub enum JobState {
        Ready = "ready", Info, "待执行", "Ready";
        Running = "running", Primary, "执行中", "Running";
        Done = "done", Success, "已完成", "Done";
        Dead = "dead", Danger, "已失败", "Dead";
    }
}

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobRow {
    /// Id.
    pub id: Uuid,
    /// What it does.
    #[schema(example = "refund.send")]
    pub kind: String,
    /// What it is about: open jobs of one kind with one key are one job.
    #[schema(example = "01997b6c-57f8-7000-8000-000000000000")]
    pub key: String,
    /// What it was told: ids.
    #[schema(example = r#"{"refund_id":"01997b6c-57f8-7000-8000-000000000000"}"#)]
    pub payload: String,
    /// Where it stands.
    pub state: JobState,
    /// Runs since it last ended well.
    #[schema(example = 12)]
    pub attempts: i32,
    /// Why the last run failed.
    pub last_error: Option<String>,
    /// When it is run next, or was to be run last.
    pub run_at: DateTime<Utc>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When it ended, well or not.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Row for JobRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// How jobs are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct JobFilter {
    /// Of this kind.
    #[param(inline)]
    pub kind: Option<JobKind>,
    /// In this state.
    pub state: Option<JobState>,
}

/// Jobs (后台任务).
pub struct Jobs;

impl Resource for Jobs {
    const PATH: &'static str = "system/jobs";
    const ONE: &'static str = "Job";
    const MANY: &'static str = "Jobs";
    const TITLE: Text = t("后台任务", "Jobs");
    const PERMISSION: &'static str = "system.job";
    const NAME: &'static str = "kind";
    type Row = JobRow;
    type Detail = JobRow;
    type Filter = JobFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        // Another version of the program may have enqueued it.
        Column::new("kind", t("任务类型", "Kind"), As::Code(JobKind::CHOICES)),
        Column::new("key", t("对象", "About"), As::Text).detail_only(),
        Column::new("payload", t("参数", "Told"), As::Text).detail_only(),
        Column::new("state", t("状态", "State"), As::Code(JobState::CHOICES)),
        Column::new("attempts", t("尝试次数", "Attempts"), As::Number),
        Column::new("last_error", t("最近错误", "Last error"), As::Text),
        Column::new("run_at", t("执行时间", "Run at"), As::Time),
        Column::new("finished_at", t("结束时间", "Finished"), As::Time),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("kind", t("任务类型", "Kind"), Input::Choice(JobKind::CHOICES)),
        Field::new("state", t("状态", "State"), Input::Choice(JobState::CHOICES)),
    ];
    const ACTIONS: &'static [Action] = &[Action::new("retry", t("重试", "Retry"))
        .confirm(t(
            "任务将立即重新执行，请先确认失败原因已排除。",
            "It is run again at once; see to it first that it can end well.",
        ))
        .when(|it| it["state"] == "dead")];
    // They are about everybody's things.
    const KINDS: &'static [UserKind] = &[UserKind::Platform];
}
