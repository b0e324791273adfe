# Read the incidents into R, and keep what is unknown apart from zero. Base R is enough.
#
#     Rscript with_r.R http://127.0.0.1:8000

given <- commandArgs(trailingOnly = TRUE)
service <- if (length(given)) given[1] else "http://127.0.0.1:8000"

# Any filter of the list may follow: ?country=RU&date=2020.
incidents <- read.csv(
  paste0(service, "/api/v1/incidents.csv"),
  fileEncoding = "UTF-8-BOM",
  na.strings = "", # an empty cell is null, and only that: NA is Namibia
  colClasses = c(id = "character", country = "character") # an id may be all digits
)
for (name in c("date_start", "date_end")) incidents[[name]] <- as.Date(incidents[[name]])

cat("Incidents by country and type\n")
counts <- as.data.frame(table(incidents[c("country", "type")]), responseName = "incidents")
print(counts[counts$incidents > 0, ], row.names = FALSE)

# A sum over figures that are partly unknown is only a lower bound: say of how many it is one.
known <- !is.na(incidents$arrests_low)
cat(sprintf(
  "\nAt least %d arrests in the %d incidents that report any figure; %d of %d report none.\n",
  sum(incidents$arrests_low[known]), sum(known), sum(!known), nrow(incidents)
))

# A month is certain only where both ends of the date lie in it.
month <- function(day) format(day, "%Y-%m")
certain <- !is.na(incidents$date_start) &
  month(incidents$date_start) == month(incidents$date_end)
cat("\nIncidents by month, those whose date leaves no doubt of it\n")
print(table(month(incidents$date_start[which(certain)])))

# Communities are joined by semicolons; an incident counts for each of its own.
cat("\nIncidents by community\n")
print(table(unlist(strsplit(incidents$communities, "; "))))
