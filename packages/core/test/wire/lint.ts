import { bodyBytes, type BrokerMessage } from "../../src/broker/broker-message.ts";
import { isJsonObject } from "../../src/json.ts";

const sixDigits = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/;

/**
 * What a real Celery worker would not take, or take otherwise than it is meant. Empty: all is well. One such message can stop other
 * people's workers, which is why everything that q encodes is held against this list.
 */
export function lint(message: BrokerMessage): readonly string[] {
  const { headers, properties } = message;
  const problems: string[] = [];
  const must = (holds: boolean, rule: string): void => {
    if (!holds) problems.push(rule);
  };
  must(isShortText(headers["task"]), "the header task is a text of 1 to 255 bytes");
  must(isShortText(headers["id"]), "the header id is a text of 1 to 255 bytes");
  must(headers["id"] === message.id, "the header id is the message's id");
  must(headers["lang"] === "js", "the header lang is js");
  for (const name of ["eta", "expires"]) {
    const time = headers[name];
    must(
      time === undefined || (typeof time === "string" && sixDigits.test(time)),
      `${name} is UTC with six digits of fraction`,
    );
  }
  const { retries = 0, timelimit = [null, null] } = headers;
  must(Number.isSafeInteger(retries) && Number(retries) >= 0, "retries counts from 0");
  must(Array.isArray(timelimit) && timelimit.length === 2, "timelimit has two items");
  must(
    (timelimit as readonly unknown[]).every((limit) => limit === null || Number(limit) > 0),
    "a time limit is null or some seconds",
  );
  for (const name of ["root_id", "parent_id", "group"]) must(isShortText(headers[name] ?? "none"), `${name} is a text`);
  for (const name of ["argsrepr", "kwargsrepr", "compression", "x-death", "__proto__"])
    must(!Object.hasOwn(headers, name), `${name} is not sent`);
  must(properties.contentType === "application/json", "the content type is exactly application/json");
  must(properties.contentEncoding === "utf-8", "the content encoding is utf-8");
  must((properties.correlationId ?? message.id) === message.id, "the correlation id is the id");
  must(
    properties.replyTo === undefined || properties.correlationId !== undefined,
    "who waits for a reply finds it by the correlation id",
  );
  for (const rule of lintBody(bodyBytes(message.body))) problems.push(rule);
  return problems;
}

function lintBody(bytes: Uint8Array): readonly string[] {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return ["the body is JSON in UTF-8"];
  }
  if (!Array.isArray(body) || body.length !== 3) return ["the body is a list of exactly three"];
  const [args, kwargs, embed] = body as unknown[];
  return [
    ...(Array.isArray(args) ? [] : ["args is a list"]),
    ...(isJsonObject(kwargs) ? [] : ["kwargs is an object"]),
    ...(isJsonObject(embed) ? [] : ["embed is an object"]),
  ];
}

function isShortText(value: unknown): boolean {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= 255;
}
