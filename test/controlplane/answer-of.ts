import type { ServiceError } from "@grpc/grpc-js";

type Answered<Response> = (error: ServiceError | null, response: Response) => void;

/** What a unary call is answered with; rejects with the error that it fails with. */
export function answerOf<Response>(start: (answered: Answered<Response>) => void): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
}
