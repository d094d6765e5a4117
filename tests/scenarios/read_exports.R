# Reads the exports in the folders csv, dta, xlsx and nc of a directory as R's packages do, and says of every table and
# column what it found: rows, sum of numbers, first and last date, first and last text, label. For a test.
suppressPackageStartupMessages({library(haven); library(readxl); library(ncdf4)})
folder <- commandArgs(trailingOnly = TRUE)[1]
found <- list()

tell <- function(form, table, column, values, label) {
  if (inherits(values, "POSIXct")) values <- as.Date(values, tz = "UTC")
  kind <- if (inherits(values, "Date")) "date" else if (is.numeric(values)) "number" else "text"
  ends <- as.character(values[c(1, length(values))])
  ends[is.na(ends)] <- ""
  found[[length(found) + 1]] <<- data.frame(
    form = form, table = table, column = column, kind = kind, rows = length(values),
    sum = if (kind == "number") sprintf("%.17g", sum(as.numeric(values), na.rm = TRUE)) else "",
    first = if (kind == "number") "" else ends[1], last = if (kind == "number") "" else ends[2],
    label = if (is.null(label)) "" else label
  )
}

tell_frame <- function(form, table, frame) {
  for (column in names(frame)) tell(form, table, column, frame[[column]], attr(frame[[column]], "label"))
}

for (file in list.files(file.path(folder, "csv"), full.names = TRUE)) {
  frame <- read.csv(file, fileEncoding = "UTF-8-BOM")
  if ("quarter" %in% names(frame)) frame$quarter <- as.Date(frame$quarter)
  if ("recognised" %in% names(frame)) frame$recognised <- as.Date(frame$recognised)
  tell_frame("csv", sub("[.]csv$", "", basename(file)), frame)
}
for (file in list.files(file.path(folder, "dta"), full.names = TRUE)) {
  tell_frame("dta", sub("[.]dta$", "", basename(file)), read_dta(file))
}
book <- file.path(folder, "xlsx", "results.xlsx")
for (sheet in excel_sheets(book)) {
  tell_frame("xlsx", sheet, read_excel(book, sheet, guess_max = 1e6, .name_repair = "minimal"))
}
for (file in list.files(file.path(folder, "nc"), full.names = TRUE)) {
  data <- nc_open(file)
  for (column in names(data$var)) {
    values <- as.vector(ncvar_get(data, column))
    unit <- data$var[[column]]$units
    if (startsWith(unit, "days since")) {
      values <- as.Date(values, origin = substr(unit, 12, 21))
      unit <- ""
    }
    tell("nc", sub("[.]nc$", "", basename(file)), column, values, paste0(data$var[[column]]$longname, "|", unit))
  }
  nc_close(data)
}
write.csv(do.call(rbind, found), file.path(folder, "found.csv"), row.names = FALSE, fileEncoding = "UTF-8")
