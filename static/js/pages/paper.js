// A transcript as a document: printed, or saved as PDF, by the browser.

import { byId } from "../lib/dom.js";

byId("print").addEventListener("click", () => print());
addEventListener("load", () => print());
