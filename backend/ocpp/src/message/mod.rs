//! All messages of OCPP 1.6 and of its security extension, in both directions.

mod boot;
mod configuration;
mod data_transfer;
mod firmware;
mod local_list;
mod meter;
mod remote;
mod reservation;
mod security;
mod signed_firmware;
mod smart_charging;
mod status;
mod transaction;
mod trigger;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use boot::{BootNotification, BootNotificationConfirmation, Heartbeat, HeartbeatConfirmation, RegistrationStatus};
pub use configuration::{
    ChangeConfiguration, ConfigurationKey, ConfigurationStatus, GetConfiguration, GetConfigurationConfirmation,
};
pub use data_transfer::{DataTransfer, DataTransferConfirmation, DataTransferStatus};
pub use firmware::{
    DiagnosticsStatus, DiagnosticsStatusNotification, FirmwareStatus, FirmwareStatusNotification, GetDiagnostics,
    GetDiagnosticsConfirmation, UpdateFirmware,
};
pub use local_list::{
    AuthorizationData, GetLocalListVersion, GetLocalListVersionConfirmation, SendLocalList, UpdateStatus, UpdateType,
};
pub use meter::{
    Location, Measurand, MeterValue, MeterValues, Phase, ReadingContext, SampledValue, UnitOfMeasure, ValueFormat,
};
pub use remote::{
    AvailabilityStatus, AvailabilityType, ChangeAvailability, ClearCache, RemoteStartTransaction,
    RemoteStopTransaction, Reset, ResetType, UnlockConnector, UnlockStatus,
};
pub use reservation::{CancelReservation, ReservationStatus, ReserveNow};
pub use security::{
    CertificateHashData, CertificateSigned, CertificateUse, DeleteCertificate, DeleteCertificateStatus,
    GetInstalledCertificateIds, GetInstalledCertificateIdsConfirmation, GetInstalledCertificateStatus, HashAlgorithm,
    InstallCertificate, InstallCertificateStatus, SecurityEventNotification, SignCertificate,
};
pub use signed_firmware::{
    Firmware, GetLog, GetLogConfirmation, LogParameters, LogStatus, LogStatusNotification, LogType,
    SignedFirmwareStatus, SignedFirmwareStatusNotification, SignedUpdateFirmware, UpdateFirmwareStatus,
    UploadLogStatus,
};
pub use smart_charging::{
    ChargingProfile, ChargingProfileKind, ChargingProfilePurpose, ChargingProfileStatus, ChargingRateUnit,
    ChargingSchedule, ChargingSchedulePeriod, ClearChargingProfile, ClearChargingProfileStatus, GetCompositeSchedule,
    GetCompositeScheduleConfirmation, Recurrency, SetChargingProfile, Tenths,
};
pub use status::{ChargePointErrorCode, ChargePointStatus, StatusNotification};
pub use transaction::{
    AuthorizationStatus, Authorize, AuthorizeConfirmation, IdTagInfo, StartTransaction, StartTransactionConfirmation,
    StopReason, StopTransaction, StopTransactionConfirmation,
};
pub use trigger::{
    ExtendedMessageTrigger, ExtendedTriggerMessage, MessageTrigger, TriggerMessage, TriggerMessageStatus,
};

use crate::call_error::{CallError, ErrorCode};
use crate::frame::Payload;
use crate::lenient::read;
use crate::limit::Refused;
use crate::word::words;

/// A request of the protocol, in either direction.
pub trait Message: Serialize + DeserializeOwned {
    /// Its name on the wire.
    const ACTION: &'static str;

    /// What answers it.
    type Confirmation: Serialize + DeserializeOwned;

    /// Whether it keeps to the limits of the specification; asked before it is sent.
    fn check(&self) -> Result<(), Refused> {
        Ok(())
    }
}

/// A request that a charger sends to the server.
pub trait Incoming: Message {}

/// A request that the server sends to a charger.
pub trait Outgoing: Message {}

/// A confirmation without fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// A confirmation whose only field is a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome<S> {
    /// What became of the request.
    pub status: S,
}

words! {
    /// Yes or no.
    Acceptance { Accepted, Rejected }
}

/// Declares the enum of all requests in one direction and how a payload becomes one of them.
macro_rules! requests {
    ($(#[$doc:meta])* $name:ident is $direction:ident, not $other:ident: $($message:ident),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "each variant is the message of its name")]
        pub enum $name {
            $($message($message),)+
        }

        $(impl $direction for $message {})+

        impl $name {
            /// The names of all these messages.
            pub const ACTIONS: &'static [&'static str] = &[$($message::ACTION),+];

            /// Reads the request of a call; the error is the answer that the caller must get.
            pub fn read(action: &str, payload: Payload) -> Result<Self, CallError> {
                match action {
                    $($message::ACTION => read(payload).map(Self::$message),)+
                    _ if $other::ACTIONS.contains(&action) => {
                        Err(CallError::new(ErrorCode::NotSupported, format!("{action} goes the other way")))
                    }
                    _ => Err(CallError::new(ErrorCode::NotImplemented, format!("{action} is not known"))),
                }
            }

            /// The message's name on the wire.
            pub fn action(&self) -> &'static str {
                match self {
                    $(Self::$message(_) => $message::ACTION,)+
                }
            }
        }
    };
}

requests! {
    /// Everything that a charger may ask the server.
    Request is Incoming, not Command:
    Authorize, BootNotification, DataTransfer, DiagnosticsStatusNotification, FirmwareStatusNotification, Heartbeat,
    LogStatusNotification, MeterValues, SecurityEventNotification, SignCertificate, SignedFirmwareStatusNotification,
    StartTransaction, StatusNotification, StopTransaction,
}

requests! {
    /// Everything that the server may ask a charger.
    Command is Outgoing, not Request:
    CancelReservation, CertificateSigned, ChangeAvailability, ChangeConfiguration, ClearCache, ClearChargingProfile,
    DataTransfer, DeleteCertificate, ExtendedTriggerMessage, GetCompositeSchedule, GetConfiguration, GetDiagnostics,
    GetInstalledCertificateIds, GetLocalListVersion, GetLog, InstallCertificate, RemoteStartTransaction,
    RemoteStopTransaction, ReserveNow, Reset, SendLocalList, SetChargingProfile, SignedUpdateFirmware, TriggerMessage,
    UnlockConnector, UpdateFirmware,
}
