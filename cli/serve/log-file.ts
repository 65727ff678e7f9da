/** The log's file in a data directory. */
export const logFile = "log.sqlite";
