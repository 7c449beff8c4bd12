//! The messages of OTLP's trace signal as a table: JSON name, protobuf number, kind. Both directions read it.
//! Source: `opentelemetry-proto` 1.9, `collector/trace/v1`, `trace/v1`, `resource/v1`, `common/v1`.

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// With its article, for errors.
    pub(super) name: &'static str,
    /// A number that occurs twice has a second name; the first name is written.
    pub(super) fields: &'static [Field],
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    /// lowerCamelCase, as the specification has it.
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
    /// Written also when it is empty: readers made from strict schemas, opentelemetry-proto's among them, insist.
    pub(super) always: bool,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Hexadecimal in JSON, bytes in protobuf.
    Id,
    Text,
    /// A list of texts.
    Texts,
    Uint32,
    Fixed32,
    /// Text in JSON.
    Fixed64,
    /// The prefix of its names, and the names from 0 on without it.
    Enum(&'static str, &'static [&'static str]),
    Message(&'static Message),
    /// A list of messages.
    Messages(&'static Message),
    /// A list of [`KEY_VALUE`].
    Attributes,
    /// [`ANY_VALUE`].
    Value,
    /// A list of [`ANY_VALUE`].
    Values,
    /// A scalar member of [`ANY_VALUE`].
    Member(Member),
    /// Not in protobuf: [`ANY_VALUE`] within itself, as Go's `encoding/json` writes the generated structs.
    Wrapper,
}

/// The scalar members of `AnyValue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    String,
    Bool,
    /// Text in JSON.
    Int,
    Double,
    /// Base64 in JSON.
    Bytes,
}

impl Message {
    /// The field with a JSON name; case and underscores do not matter.
    pub(super) fn named(&self, name: &str) -> Option<&'static Field> {
        let exact = self.fields.iter().find(|field| field.name == name);
        exact.or_else(|| self.fields.iter().find(|field| is_variant(field.name, name)))
    }

    /// The field with a protobuf number.
    pub(super) fn numbered(&self, number: u32) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.number == number)
    }
}

fn is_variant(canonical: &str, name: &str) -> bool {
    let letters = name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase());
    letters.eq(canonical.bytes().map(|byte| byte.to_ascii_lowercase()))
}

const fn field(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, always: false }
}

const fn always(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, always: true }
}

pub(super) static REQUEST: Message = Message {
    name: "an ExportTraceServiceRequest",
    fields: &[field("resourceSpans", 1, Kind::Messages(&RESOURCE_SPANS))],
};

pub(super) static RESOURCE_SPANS: Message = Message {
    name: "a ResourceSpans",
    fields: &[
        field("resource", 1, Kind::Message(&RESOURCE)),
        field("scopeSpans", 2, Kind::Messages(&SCOPE_SPANS)),
        field("schemaUrl", 3, Kind::Text),
        // The name before OTLP 0.19.
        field("instrumentationLibrarySpans", 2, Kind::Messages(&SCOPE_SPANS)),
    ],
};

pub(super) static SCOPE_SPANS: Message = Message {
    name: "a ScopeSpans",
    fields: &[
        field("scope", 1, Kind::Message(&SCOPE)),
        field("spans", 2, Kind::Messages(&SPAN)),
        field("schemaUrl", 3, Kind::Text),
        // The name before OTLP 0.19.
        field("instrumentationLibrary", 1, Kind::Message(&SCOPE)),
    ],
};

static RESOURCE: Message = Message {
    name: "a Resource",
    fields: &[
        field("attributes", 1, Kind::Attributes),
        field("droppedAttributesCount", 2, Kind::Uint32),
        field("entityRefs", 3, Kind::Messages(&ENTITY_REF)),
    ],
};

static ENTITY_REF: Message = Message {
    name: "an EntityRef",
    fields: &[
        always("schemaUrl", 1, Kind::Text),
        always("type", 2, Kind::Text),
        always("idKeys", 3, Kind::Texts),
        always("descriptionKeys", 4, Kind::Texts),
    ],
};

static SCOPE: Message = Message {
    name: "an InstrumentationScope",
    fields: &[
        field("name", 1, Kind::Text),
        field("version", 2, Kind::Text),
        field("attributes", 3, Kind::Attributes),
        field("droppedAttributesCount", 4, Kind::Uint32),
    ],
};

pub(super) static SPAN: Message = Message {
    name: "a Span",
    fields: &[
        field("traceId", 1, Kind::Id),
        field("spanId", 2, Kind::Id),
        field("traceState", 3, Kind::Text),
        field("parentSpanId", 4, Kind::Id),
        field("name", 5, Kind::Text),
        field("kind", 6, Kind::Enum("SPAN_KIND_", SPAN_KINDS)),
        field("startTimeUnixNano", 7, Kind::Fixed64),
        field("endTimeUnixNano", 8, Kind::Fixed64),
        field("attributes", 9, Kind::Attributes),
        field("droppedAttributesCount", 10, Kind::Uint32),
        field("events", 11, Kind::Messages(&EVENT)),
        field("droppedEventsCount", 12, Kind::Uint32),
        field("links", 13, Kind::Messages(&LINK)),
        field("droppedLinksCount", 14, Kind::Uint32),
        field("status", 15, Kind::Message(&STATUS)),
        field("flags", 16, Kind::Fixed32),
    ],
};

static SPAN_KINDS: &[&str] = &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

static EVENT: Message = Message {
    name: "an Event",
    fields: &[
        field("timeUnixNano", 1, Kind::Fixed64),
        field("name", 2, Kind::Text),
        field("attributes", 3, Kind::Attributes),
        field("droppedAttributesCount", 4, Kind::Uint32),
    ],
};

static LINK: Message = Message {
    name: "a Link",
    fields: &[
        field("traceId", 1, Kind::Id),
        field("spanId", 2, Kind::Id),
        field("traceState", 3, Kind::Text),
        field("attributes", 4, Kind::Attributes),
        field("droppedAttributesCount", 5, Kind::Uint32),
        field("flags", 6, Kind::Fixed32),
    ],
};

static STATUS: Message = Message {
    name: "a Status",
    fields: &[field("message", 2, Kind::Text), field("code", 3, Kind::Enum("STATUS_CODE_", &["UNSET", "OK", "ERROR"]))],
};

pub(super) static KEY_VALUE: Message =
    Message { name: "a KeyValue", fields: &[always("key", 1, Kind::Text), field("value", 2, Kind::Value)] };

pub(super) static ANY_VALUE: Message = Message {
    name: "an AnyValue",
    fields: &[
        field("stringValue", 1, Kind::Member(Member::String)),
        field("boolValue", 2, Kind::Member(Member::Bool)),
        field("intValue", 3, Kind::Member(Member::Int)),
        field("doubleValue", 4, Kind::Member(Member::Double)),
        field("arrayValue", 5, Kind::Message(&ARRAY_VALUE)),
        field("kvlistValue", 6, Kind::Message(&KEY_VALUE_LIST)),
        field("bytesValue", 7, Kind::Member(Member::Bytes)),
        field("value", 0, Kind::Wrapper),
    ],
};

static ARRAY_VALUE: Message = Message { name: "an ArrayValue", fields: &[always("values", 1, Kind::Values)] };

static KEY_VALUE_LIST: Message = Message { name: "a KeyValueList", fields: &[always("values", 1, Kind::Attributes)] };
