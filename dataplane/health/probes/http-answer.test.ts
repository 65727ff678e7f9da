import { describe, expect, it } from "vitest";
import { type HttpAnswer, HttpAnswerReader, answerBytesMax } from "./http-answer.ts";

const expected = (status: number): boolean => status === 200 || status === 100;

function read(...pieces: readonly string[]): HttpAnswer {
  const reader = new HttpAnswerReader((status) => status === 200);
  let answer: HttpAnswer = { outcome: "incomplete" };
  for (const piece of pieces) {
    answer = reader.push(Buffer.from(piece, "latin1"));
    if (answer.outcome !== "incomplete") break;
  }
  return answer;
}

describe("the answer to a check", () => {
  it.each<[string, string, HttpAnswer["outcome"], number?]>([
    ["a status", "HTTP/1.1 200 OK\r\n", "status", 200],
    ["a status of HTTP/1.0", "HTTP/1.0 404 Not Found\r\n", "status", 404],
    ["a status without a phrase", "HTTP/1.1 204\r\n", "status", 204],
    ["a bare line feed", "HTTP/1.1 200 OK\n", "status", 200],
    ["an interim answer first", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n", "status", 200],
    ["a change of protocol", "HTTP/1.1 101 Switching Protocols\r\n", "status", 101],
    ["half a line", "HTTP/1.1 20", "incomplete"],
    ["an interim answer alone", "HTTP/1.1 100 Continue\r\n\r\n", "incomplete"],
    ["HTTP/2", "HTTP/2 200\r\n", "malformed"],
    ["a status of two digits", "HTTP/1.1 20\r\n", "malformed"],
    ["a status of zeros", "HTTP/1.1 000\r\n", "malformed"],
    ["another protocol, before its line ends", "220 mail", "malformed"],
    ["an endless line", `HTTP/1.1 200 ${"x".repeat(answerBytesMax)}`, "malformed"],
  ])("is, of %s: %s -> %s", (_, text, outcome, status) => {
    for (const pieces of [[text], text.split("")]) {
      const answer = read(...pieces);
      expect(answer.outcome).toBe(outcome);
      if (answer.outcome === "status") expect(answer.status).toBe(status);
    }
  });

  it("is an interim one where that is what is expected", () => {
    const reader = new HttpAnswerReader(expected);
    expect(reader.push(Buffer.from("HTTP/1.1 100 Continue\r\n"))).toEqual({ outcome: "status", status: 100 });
  });
});
