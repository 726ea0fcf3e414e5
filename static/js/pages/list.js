// The list of meetings: what is running keeps itself up to date, and what has ended is in the list.

/** @import { Upload } from "../uploads/progress-text.js" */

import { setUpDropping } from "../catalogue/dropping.js";
import { MeetingNotices } from "../catalogue/notices.js";
import { refreshList } from "../catalogue/fresh-list.js";
import { RunningMeetings } from "../catalogue/running.js";
import { setUpSelection } from "../catalogue/selection.js";
import { findById } from "../lib/dom.js";
import { UploadsPanel } from "../uploads/uploads-panel.js";
import { isInOwnZone } from "../lib/moments.js";

const DRAWN_MS = [4000, 20_000]; // after which a meeting that has ended has its title and its picture

const refresh = () => refreshList(() => selection?.restore());
const selection = setUpSelection(refresh);

function onEnded() {
  refresh();
  for (const ms of DRAWN_MS) setTimeout(refresh, ms);
}

const notices = findById("running") && new MeetingNotices();
const running = notices && new RunningMeetings({ onEnded, notices });
const uploadsPlace = findById("uploads"); // where one may record
if (uploadsPlace) {
  const onOver = (/** @type {Upload} */ upload) => {
    onEnded();
    if (upload.state === "done") notices?.tellTranscribed(upload);
  };
  const uploads = new UploadsPanel(uploadsPlace, { onBegun: () => running?.look(), onOver });
  setUpDropping((files) => uploads.add(files));
}

// The first page that somebody opens is written in another zone than theirs: its days may be others.
const moments = [...document.querySelectorAll(".row-facts time")].map((time) => time.getAttribute("datetime") ?? "");
if (moments.some((iso) => !isInOwnZone(iso))) {
  refresh();
  running?.look();
}
