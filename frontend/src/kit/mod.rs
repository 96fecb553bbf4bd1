//! Thin components that emit Element Plus's markup; the look is its stylesheet.

pub mod amount;
pub mod button;
pub mod calendar;
pub mod cell;
pub mod chart;
pub mod confirm;
pub mod crud;
pub mod days;
pub mod dropdown;
pub mod entry;
pub mod fetched;
pub mod form;
pub mod icon;
pub mod input;
pub mod lookup;
pub mod modal;
pub mod pager;
pub mod pagination;
pub mod permissions;
pub mod popper;
pub mod query;
pub mod search;
pub mod select;
pub mod toast;
