//! OCPP 1.6-J: frames and messages, without any network or database.
