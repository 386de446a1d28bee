/** A kind of server, on which peers are measured side by side. Each has its own results. */
export type FieldName = "redis" | "amqp-quorum" | "amqp-classic" | "sqlite" | "postgres";

/** As people read them. */
export const fieldTitles: Readonly<Record<FieldName, string>> = {
  redis: "Redis",
  "amqp-quorum": "RabbitMQ, quorum queues",
  "amqp-classic": "RabbitMQ, classic queues",
  sqlite: "SQLite",
  postgres: "PostgreSQL, q on SQLite",
};

export const fieldNames = Object.keys(fieldTitles) as readonly FieldName[]; // the keys of a record
