//! The fields of Salesforce's activities.

use super::schema::Row;
use crate::store::Kind;

pub(super) const TASK: &[Row] = &[
    ("WhoId", "Name ID", Kind::Reference, "Contact;Lead"),
    (
        "WhatId",
        "Related To ID",
        Kind::Reference,
        "Account;Opportunity",
    ),
    ("Subject", "Subject", Kind::Text, ""),
    ("ActivityDate", "Due Date Only", Kind::Date, ""),
    (
        "Status",
        "Status",
        Kind::Picklist,
        "Not Started;In Progress;Completed;Waiting on someone else;Deferred",
    ),
    ("Priority", "Priority", Kind::Picklist, "High;Normal;Low"),
    ("IsHighPriority", "High Priority", Kind::Bool, "calculated"),
    ("OwnerId", "Assigned To ID", Kind::Reference, "User"),
    ("Description", "Description", Kind::TextArea, ""),
    ("IsClosed", "Closed", Kind::Bool, "calculated"),
    ("AccountId", "Account ID", Kind::Reference, "Account"),
    ("IsArchived", "Archived", Kind::Bool, "calculated"),
    ("CallDurationInSeconds", "Call Duration", Kind::Int, ""),
    (
        "CallType",
        "Call Type",
        Kind::Picklist,
        "Internal;Inbound;Outbound",
    ),
    ("CallDisposition", "Call Result", Kind::Text, ""),
    ("CallObject", "Call Object Identifier", Kind::Text, ""),
    (
        "CompletedDateTime",
        "Completed Date",
        Kind::DateTime,
        "calculated",
    ),
    (
        "TaskSubtype",
        "Task Subtype",
        Kind::Picklist,
        "Task;Email;Call",
    ),
];

pub(super) const EVENT: &[Row] = &[
    ("WhoId", "Name ID", Kind::Reference, "Contact;Lead"),
    (
        "WhatId",
        "Related To ID",
        Kind::Reference,
        "Account;Opportunity",
    ),
    ("Subject", "Subject", Kind::Text, ""),
    ("Location", "Location", Kind::Text, ""),
    ("IsAllDayEvent", "All-Day Event", Kind::Bool, ""),
    ("ActivityDateTime", "Due Date Time", Kind::DateTime, ""),
    ("ActivityDate", "Due Date Only", Kind::Date, ""),
    ("DurationInMinutes", "Duration", Kind::Int, ""),
    ("StartDateTime", "Start Date Time", Kind::DateTime, ""),
    ("EndDateTime", "End Date Time", Kind::DateTime, ""),
    ("Description", "Description", Kind::TextArea, ""),
    ("AccountId", "Account ID", Kind::Reference, "Account"),
    ("OwnerId", "Assigned To ID", Kind::Reference, "User"),
    ("IsPrivate", "Private", Kind::Bool, ""),
    (
        "ShowAs",
        "Show Time As",
        Kind::Picklist,
        "Busy;OutOfOffice;Free",
    ),
    ("IsArchived", "Archived", Kind::Bool, "calculated"),
    ("EventSubtype", "Event Subtype", Kind::Picklist, "Event"),
];
