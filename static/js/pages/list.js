// The list of meetings: what is running keeps itself up to date, and what has ended is in the list.

import { setUpDropping } from "../catalogue/dropping.js";
import { MeetingNotices } from "../catalogue/notices.js";
import { refreshList } from "../catalogue/fresh-list.js";
import { RunningMeetings } from "../catalogue/running.js";
import { setUpSelection } from "../catalogue/selection.js";
import { findById } from "../lib/dom.js";
import { isInOwnZone } from "../lib/moments.js";

const DRAWN_MS = [4000, 20_000]; // after which a meeting that has ended has its title and its picture

const refresh = () => refreshList(() => selection?.restore());
const selection = setUpSelection(refresh);

function onEnded() {
  refresh();
  for (const ms of DRAWN_MS) setTimeout(refresh, ms);
}

const running = findById("running") ? new RunningMeetings({ onEnded, notices: new MeetingNotices() }) : null;
setUpDropping();

// The first page that somebody opens is written in another zone than theirs: its days may be others.
const moments = [...document.querySelectorAll(".row-facts time")].map((time) => time.getAttribute("datetime") ?? "");
if (moments.some((iso) => !isInOwnZone(iso))) {
  refresh();
  running?.look();
}
