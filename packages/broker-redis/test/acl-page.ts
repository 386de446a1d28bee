import { aclOfPage } from "@q/test-servers";

/** What `ACL.md` tells to send after `ACL`, for one user. */
export function setUser(name: string): readonly string[] {
  return aclOfPage(new URL("../ACL.md", import.meta.url), name);
}
