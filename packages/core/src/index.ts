export { isJsonObject } from "./json.ts";
