//! Messages that need an answer and nothing else; what they said is kept with the frames.

use ocpp::message::{Acceptance, DataTransfer, DataTransferConfirmation, DataTransferStatus, Outcome};

/// No maker's own messages are understood.
pub fn data_transfer(_: &DataTransfer) -> DataTransferConfirmation {
    DataTransferConfirmation { status: DataTransferStatus::UnknownVendorId, data: None }
}

/// We sign no certificates.
pub fn sign_certificate() -> Outcome<Acceptance> {
    Outcome { status: Acceptance::Rejected }
}
