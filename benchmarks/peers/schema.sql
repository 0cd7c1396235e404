-- What all peers write: less than the service does, with no window, target, history or account.

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    name text,
    time_zone text,
    language text
);

CREATE TABLE answers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_source text NOT NULL,
    event_id text NOT NULL,
    customer_id bigint NOT NULL REFERENCES customers,
    rating int NOT NULL,
    comment text,
    answered_at timestamptz NOT NULL,
    channel text,
    queue text,
    UNIQUE (event_source, event_id)
);

CREATE TABLE callbacks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    answer_id bigint NOT NULL REFERENCES answers,
    closed_at timestamptz
);

CREATE UNIQUE INDEX callbacks_open ON callbacks (customer_id) WHERE closed_at IS NULL;
