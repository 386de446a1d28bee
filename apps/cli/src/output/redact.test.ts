import { expect, test } from "vitest";
import { redact } from "./redact.ts";

test.each([
  ["redis://app:hunter2@cache:6379/0", "redis://app:***@cache:6379/0"],
  ["redis://:hunter2@cache:6379", "redis://:***@cache:6379"],
  ["amqps://token@host/vhost", "amqps://***@host/vhost"],
  ["amqp://u:p%40ss:word@host", "amqp://u:***@host"],
  ["postgres://u:p@ss@host/db", "postgres://u:***@host/db"],
  ["redis://:pa/ss?w#rd@host:6379", "redis://:***@host:6379"],
  ["https://u:p@host/a@b", "https://u:***@host/a@b"],
  ["https://host/x?password=abc&y=1", "https://host/x?password=***&y=1"],
  ["https://host/x?y=1&api_key=abc", "https://host/x?y=1&api_key=***"],
  ["https://host/x?access_token=abc#top", "https://host/x?access_token=***#top"],
])("hides the credential in %s", (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test("hides every one in a longer text", () => {
  const text = 'connect to redis://a:b@c failed; tried "amqp://d:e@f" after that';
  expect(redact(text)).toBe('connect to redis://a:***@c failed; tried "amqp://d:***@f" after that');
  expect(redact("file:///app/a.js,redis://a:b@c")).toBe("file:///app/a.js,redis://a:***@c");
});

test.each([
  "redis://cache:6379/0",
  "sqlite:.q/q.db",
  "mail ada@example.com about https://example.com/a@b",
  "a?b=c",
  "    at run (file:///app/node_modules/@q/core/dist/index.js:558:39)",
])("leaves %s as it is", (text) => {
  expect(redact(text)).toBe(text);
});

test.each(["?", "a-", "://", "a://@", "?pass", "a://a:", "@"])(
  "a long text of %j is no slower than another",
  (piece) => {
    const text = piece.repeat(20_000);
    const startedAt = performance.now();
    redact(text);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  },
);
