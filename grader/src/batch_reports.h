#pragma once

#include <string>
#include <vector>

#include "batch_record.h"

namespace goro::grader {

// One value of a CSV table (RFC 4180). A spreadsheet takes what begins with =, +, -, @ or a control
// character for a formula, so that gets an apostrophe before it.
std::string csv_cell(const std::string& text);

// A line for each submission, in the plan's order; the points of each lab in a column. Nothing in
// it depends on when or where it was graded.
std::string batch_table(const BatchPlan& plan, const std::vector<const Lab*>& labs,
                        const std::vector<BatchRecord>& records);

// The reports for the submission's author, if they are not there as they should be.
void write_reports(const BatchFolder& folder, const BatchEntry& entry, const BatchRecord& record);

}  // namespace goro::grader
