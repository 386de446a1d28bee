// What `q worker` loads. Its task tells the bench when it has started.
import type { App } from "@q/core";
import { nowUs } from "../payload.ts";
import { loadPeer, subject } from "../peers.ts";
import { placeVariable, type WorkerPlace } from "./place.ts";

const { field, place } = JSON.parse(process.env[placeVariable] ?? "") as WorkerPlace; // written by `CommandWorker`
const peer = await loadPeer(field, subject);
if (peer.createApp === undefined) throw new Error(`${peer.name} has no app`);

export const app: App = peer.createApp(place, () => void process.send?.(nowUs()));
