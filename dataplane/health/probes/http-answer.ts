/** What has come of the answer to a check's request. */
export type HttpAnswer =
  | { readonly outcome: "incomplete" }
  | { readonly outcome: "status"; readonly status: number }
  | { readonly outcome: "malformed"; readonly detail: string };

/** Head of an answer, with the interim ones before it (RFC 9110 section 15.2). The body is not looked at. */
export const answerBytesMax = 16_384;

const incomplete: HttpAnswer = { outcome: "incomplete" };

/** Reads the status of an HTTP/1 answer, whatever pieces it comes in. */
export class HttpAnswerReader {
  readonly #isExpected: (status: number) => boolean;
  #text = "";
  /** All that came, what was passed over too. */
  #bytes = 0;

  /** Interim answers (1xx) are passed over, but for one that is expected. */
  constructor(isExpected: (status: number) => boolean) {
    this.#isExpected = isExpected;
  }

  push(bytes: Buffer): HttpAnswer {
    this.#bytes += bytes.length;
    this.#text += bytes.toString("latin1");
    for (;;) {
      const answer = this.#statusLine();
      if (answer.outcome !== "status" || !isInterim(answer.status) || this.#isExpected(answer.status)) return answer;
      const blankLine = /\r?\n\r?\n/.exec(this.#text);
      if (blankLine === null) return this.#needsMore();
      this.#text = this.#text.slice(blankLine.index + blankLine[0].length);
    }
  }

  #statusLine(): HttpAnswer {
    const lineEnd = this.#text.indexOf("\n");
    const line = (lineEnd < 0 ? this.#text : this.#text.slice(0, lineEnd)).replace(/\r$/, "");
    const status = /^HTTP\/1\.[01] ([1-9]\d\d)(?: |$)/.exec(line)?.[1];
    if (lineEnd >= 0 && status !== undefined) return { outcome: "status", status: Number(status) };
    // A line that is no status line need not be waited for.
    if (lineEnd >= 0 || !"HTTP/1.".startsWith(line.slice(0, 7)))
      return { outcome: "malformed", detail: `it answered ${printable(line)}` };
    return this.#needsMore();
  }

  #needsMore(): HttpAnswer {
    if (this.#bytes <= answerBytesMax) return incomplete;
    return { outcome: "malformed", detail: `more than ${answerBytesMax} bytes, and no status` };
  }
}

/** 101 changes the protocol: nothing of HTTP follows it. */
function isInterim(status: number): boolean {
  return status < 200 && status !== 101;
}

function printable(line: string): string {
  return JSON.stringify(line.slice(0, 60));
}
