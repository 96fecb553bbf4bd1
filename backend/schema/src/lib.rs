//! Diesel tables, as the migrations make them.
