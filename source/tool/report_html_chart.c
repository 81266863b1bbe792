/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions over time as a chart.
 *
 * Invariant: every number that the chart draws stands in the table below it,
 * and a kind of sessions is told by its pattern and its place as well as by
 * its colour.
 */
#include <inttypes.h>
#include <string.h>

#include "html.h"
#include "html_table.h"
#include "report_html.h"

/* In tenths of the drawing's unit. */
#define LEFT 640
#define TOP 200
#define WIDTH 8800
#define HEIGHT 2200
#define BAR_MOST 480
/* Something that is there has to be seen beside thousands. */
#define BAR_LEAST 15

#define DAY 86400
#define LABELS_MOST 8

static const struct {
	const char *key;	/* in the JSON report */
	const char *fill;
	const char *label;
} kinds[NTSIGN_TREND_KINDS] = {
	[NTSIGN_TREND_SIGNED] = { "signed", "signed", "signed" },
	[NTSIGN_TREND_NOT_SIGNED] = { "not_signed", "not-signed",
				      "not signed" },
	[NTSIGN_TREND_REFUSED] = { "no_communication", "no-communication",
				   "no communication" },
	[NTSIGN_TREND_FAILED] = { "failed", "failed", "failed" },
};

struct chart {
	FILE *f;
	const struct ntsign_trend *trend;
	uint64_t most;		/* sessions of the busiest interval */
	size_t busiest;
	uint64_t step, top;	/* of the axis of numbers */
};

static uint64_t total(const struct ntsign_trend *trend, size_t i)
{
	uint64_t sum = 0;
	unsigned int kind;

	for (kind = 0; kind < NTSIGN_TREND_KINDS; kind++) {
		sum += trend->sessions[i][kind];
	}
	return sum;
}

static struct ntsign_moment begin_of(const struct ntsign_trend *trend, size_t i)
{
	return (struct ntsign_moment){
		.time = (trend->start + (int64_t)i) * trend->width * 1000000,
	};
}

/* In tenths, so that no locale's decimal point comes in. */
static void write_length(FILE *f, unsigned int tenths)
{
	fprintf(f, "%u.%u", tenths / 10, tenths % 10);
}

static unsigned int place_of(const struct chart *chart, size_t i)
{
	return LEFT + (unsigned int)(i * WIDTH / chart->trend->count);
}

static unsigned int height_of(const struct chart *chart, uint64_t count)
{
	double height = (double)count * HEIGHT / (double)chart->top;

	if (count == 0) {
		return 0;
	}
	return height < BAR_LEAST ? BAR_LEAST : (unsigned int)height;
}

static void write_text(const struct chart *chart, const char *anchor,
		       unsigned int x, unsigned int y)
{
	fprintf(chart->f, "<text text-anchor=\"%s\" x=\"", anchor);
	write_length(chart->f, x);
	fprintf(chart->f, "\" y=\"");
	write_length(chart->f, y);
	fprintf(chart->f, "\">");
}

/* ---- the axis of numbers ---- */

/* 1, 2 or 5 and noughts, four or five times of which reach to the top. */
static void find_step(struct chart *chart)
{
	static const unsigned int factors[] = { 2, 5, 10 };
	uint64_t decade = 1;
	size_t i = 0;

	chart->step = 1;
	while (chart->most / chart->step >= 5) {
		chart->step = decade * factors[i];
		i++;
		if (i == 3) {
			i = 0;
			decade *= 10;
		}
	}
	chart->top = (chart->most / chart->step + 1) * chart->step;
	if (chart->most % chart->step == 0 && chart->most > 0) {
		chart->top = chart->most;
	}
}

static void write_numbers(const struct chart *chart)
{
	uint64_t number = 0;

	for (number = 0; number <= chart->top; number += chart->step) {
		unsigned int y = TOP + HEIGHT -
			(unsigned int)((double)number * HEIGHT /
				       (double)chart->top);

		fprintf(chart->f, "<path class=\"grid\" d=\"M");
		write_length(chart->f, LEFT);
		fprintf(chart->f, " ");
		write_length(chart->f, y);
		fprintf(chart->f, "h");
		write_length(chart->f, WIDTH);
		fprintf(chart->f, "\"/>");
		write_text(chart, "end", LEFT - 80, y + 40);
		ntsign_html_count(chart->f, number);
		fprintf(chart->f, "</text>\n");
	}
}

/* ---- the axis of time ---- */

static int64_t label_step(const struct ntsign_trend *trend)
{
	static const int64_t ladder[] = {
		60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
		DAY,
	};
	int64_t span = (int64_t)trend->count * trend->width;
	int64_t step = DAY;
	size_t i;

	for (i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++) {
		if (ladder[i] % trend->width == 0 &&
		    span / ladder[i] <= LABELS_MOST) {
			return ladder[i];
		}
	}
	while (step % trend->width != 0 || span / step > LABELS_MOST) {
		step *= 2;
	}
	return step;
}

static void write_time(const struct chart *chart, size_t i, bool clock,
		       char day[NTSIGN_MOMENT_TEXT])
{
	struct ntsign_moment begin = begin_of(chart->trend, i);
	char text[NTSIGN_MOMENT_TEXT];
	unsigned int x = place_of(chart, i);
	unsigned int y = TOP + HEIGHT;

	(void)ntsign_moment_text(&begin, text);
	fprintf(chart->f, "<path class=\"tick\" d=\"M");
	write_length(chart->f, x);
	fprintf(chart->f, " ");
	write_length(chart->f, y);
	fprintf(chart->f, "v6\"/>");
	if (clock) {
		write_text(chart, "middle", x, y + 200);
		fprintf(chart->f, "%.5s</text>", text + 11);
	}
	if (!clock || strncmp(day, text, 10) != 0) {
		write_text(chart, "middle", x, y + (clock ? 360 : 200));
		fprintf(chart->f, "%.10s</text>", text);
	}
	fprintf(chart->f, "\n");
	memcpy(day, text, NTSIGN_MOMENT_TEXT);
}

static void write_times(const struct chart *chart)
{
	const struct ntsign_trend *trend = chart->trend;
	int64_t step = label_step(trend);
	char day[NTSIGN_MOMENT_TEXT] = "";
	size_t i;

	for (i = 0; i < trend->count; i++) {
		int64_t begin = (trend->start + (int64_t)i) * trend->width;

		if (begin % step == 0) {
			write_time(chart, i, step < DAY, day);
		}
	}
}

/* ---- the bars ---- */

static unsigned int bar_width(const struct chart *chart)
{
	unsigned int slot = WIDTH / (unsigned int)chart->trend->count;

	slot -= slot / 8;
	return slot > BAR_MOST ? BAR_MOST : slot;
}

/* All bars of one kind, as one path. */
static void write_bars(const struct chart *chart, unsigned int kind)
{
	const struct ntsign_trend *trend = chart->trend;
	unsigned int width = bar_width(chart);
	size_t i;

	fprintf(chart->f, "<path class=\"bars\" fill=\"url(#fill-%s)\" d=\"",
		kinds[kind].fill);
	for (i = 0; i < trend->count; i++) {
		const uint64_t *sessions = trend->sessions[i];
		unsigned int y = TOP + HEIGHT;
		unsigned int k;

		if (sessions[kind] == 0) {
			continue;
		}
		for (k = 0; k <= kind; k++) {
			y -= height_of(chart, sessions[k]);
		}
		fprintf(chart->f, "M");
		write_length(chart->f, place_of(chart, i));
		fprintf(chart->f, " ");
		write_length(chart->f, y);
		fprintf(chart->f, "h");
		write_length(chart->f, width);
		fprintf(chart->f, "v");
		write_length(chart->f, height_of(chart, sessions[kind]));
		fprintf(chart->f, "h-");
		write_length(chart->f, width);
		fprintf(chart->f, "z");
	}
	fprintf(chart->f, "\"/>\n");
}

static void write_what(FILE *f, const struct ntsign_trend *trend, size_t i)
{
	struct ntsign_moment begin = begin_of(trend, i);
	unsigned int kind;

	ntsign_html_moment(f, &begin);
	for (kind = 0; kind < NTSIGN_TREND_KINDS; kind++) {
		if (trend->sessions[i][kind] > 0) {
			fprintf(f, "\n");
			ntsign_html_count(f, trend->sessions[i][kind]);
			fprintf(f, " %s", kinds[kind].label);
		}
	}
}

/* What a mouse shows that rests on an interval. */
static void write_titles(const struct chart *chart)
{
	const struct ntsign_trend *trend = chart->trend;
	size_t i;

	for (i = 0; i < trend->count; i++) {
		if (total(trend, i) == 0) {
			continue;
		}
		fprintf(chart->f, "<rect class=\"hit\" x=\"");
		write_length(chart->f, place_of(chart, i));
		fprintf(chart->f, "\" y=\"");
		write_length(chart->f, TOP);
		fprintf(chart->f, "\" width=\"");
		write_length(chart->f, WIDTH /
			     (unsigned int)chart->trend->count);
		fprintf(chart->f, "\" height=\"");
		write_length(chart->f, HEIGHT);
		fprintf(chart->f, "\"><title>");
		write_what(chart->f, trend, i);
		fprintf(chart->f, "</title></rect>\n");
	}
}

/* ---- the words ---- */

static void write_width(FILE *f, int64_t seconds)
{
	int64_t unit = seconds % DAY == 0 ? DAY : seconds % 3600 == 0 ? 3600 :
									60;
	const char *name = unit == DAY ? "day" : unit == 3600 ? "hour" :
								"minute";

	fprintf(f, "%" PRId64 " %s%s", seconds / unit, name,
		seconds == unit ? "" : "s");
}

static void write_description(const struct chart *chart)
{
	const struct ntsign_trend *trend = chart->trend;
	struct ntsign_moment first = begin_of(trend, 0);
	struct ntsign_moment last = begin_of(trend, trend->count - 1);
	struct ntsign_moment busiest = begin_of(trend, chart->busiest);

	fprintf(chart->f, "<title id=\"trend-title\">Session setups over "
		"time, by what came of them</title>\n"
		"<desc id=\"trend-desc\">Stacked bars, one for each ");
	write_width(chart->f, trend->width);
	fprintf(chart->f, " from ");
	ntsign_html_moment(chart->f, &first);
	fprintf(chart->f, " to ");
	ntsign_html_moment(chart->f, &last);
	fprintf(chart->f, ". The highest one, at ");
	ntsign_html_moment(chart->f, &busiest);
	fprintf(chart->f, ", stands for ");
	ntsign_html_count(chart->f, chart->most);
	fprintf(chart->f, " session setup%s. All numbers are in the table "
		"below the chart.</desc>\n", chart->most == 1 ? "" : "s");
}

void ntsign_report_html_fills(FILE *f)
{
	/* drawn over the fill, in the colour behind the chart */
	static const char *const lines[NTSIGN_TREND_KINDS] = {
		[NTSIGN_TREND_SIGNED] = "",
		[NTSIGN_TREND_NOT_SIGNED] = "M-2 2L2 -2M-2 10L10 -2M6 10L10 6",
		[NTSIGN_TREND_REFUSED] = "M0 0L8 8M0 8L8 0",
		[NTSIGN_TREND_FAILED] = "M0 2H8M0 6H8",
	};
	unsigned int kind;

	fprintf(f, "<svg class=\"fills\" aria-hidden=\"true\" width=\"0\" "
		"height=\"0\">\n<defs>\n");
	for (kind = 0; kind < NTSIGN_TREND_KINDS; kind++) {
		fprintf(f, "<pattern id=\"fill-%s\" width=\"8\" height=\"8\" "
			"patternUnits=\"userSpaceOnUse\"><rect class=\"fill-%s\" "
			"width=\"8\" height=\"8\"/><path class=\"line-card\" "
			"d=\"%s\"/></pattern>\n", kinds[kind].fill,
			kinds[kind].fill, lines[kind]);
	}
	fprintf(f, "</defs>\n</svg>\n");
}

static void write_legend(FILE *f)
{
	unsigned int kind;

	fprintf(f, "<ul class=\"legend\" aria-label=\"Patterns of the "
		"chart\">\n");
	for (kind = 0; kind < NTSIGN_TREND_KINDS; kind++) {
		fprintf(f, "<li><svg class=\"swatch\" aria-hidden=\"true\" "
			"width=\"28\" height=\"14\"><rect width=\"28\" "
			"height=\"14\" fill=\"url(#fill-%s)\"/></svg>%s</li>\n",
			kinds[kind].fill, kinds[kind].label);
	}
	fprintf(f, "</ul>\n");
}

static void write_drawing(FILE *f, const struct ntsign_trend *trend)
{
	struct chart chart = { .f = f, .trend = trend };
	unsigned int kind;
	size_t i;

	for (i = 0; i < trend->count; i++) {
		if (total(trend, i) > chart.most) {
			chart.most = total(trend, i);
			chart.busiest = i;
		}
	}
	find_step(&chart);
	fprintf(f, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		"aria-label=\"Chart\">\n<svg class=\"chart\" role=\"img\" "
		"viewBox=\"0 0 960 285\" "
		"aria-labelledby=\"trend-title trend-desc\">\n");
	write_description(&chart);
	write_numbers(&chart);
	for (kind = 0; kind < NTSIGN_TREND_KINDS; kind++) {
		write_bars(&chart, kind);
	}
	write_times(&chart);
	write_titles(&chart);
	fprintf(f, "</svg>\n</div>\n");
}

static void write_table(FILE *f, const struct ntsign_trend *trend)
{
	static const struct ntsign_html_column columns[] = {
		{ "begin", "Begins", NTSIGN_HTML_TIME },
		{ "signed", "Signed", NTSIGN_HTML_NUMBER },
		{ "not_signed", "Not signed", NTSIGN_HTML_NUMBER },
		{ "no_communication", "No communication", NTSIGN_HTML_NUMBER },
		{ "failed", "Failed", NTSIGN_HTML_NUMBER },
	};
	struct ntsign_html_table table = {
		.id = "trend",
		.caption = "Session setups over time",
		.unit = "interval",
		.columns = columns,
		.column_count = sizeof(columns) / sizeof(columns[0]),
	};
	unsigned int kind;
	size_t i;

	for (i = 0; i < trend->count; i++) {
		table.rows += total(trend, i) > 0;
	}
	fprintf(f, "<details>\n<summary>The numbers of the chart</summary>\n"
		"<p class=\"note\">Intervals without sessions are left "
		"out.</p>\n");
	ntsign_html_table_open(f, &table);
	for (i = 0; i < trend->count; i++) {
		struct ntsign_moment begin = begin_of(trend, i);

		if (total(trend, i) == 0) {
			continue;
		}
		fprintf(f, "<tr><th scope=\"row\">");
		ntsign_html_moment(f, &begin);
		fprintf(f, "\n");
		for (kind = 0; kind < NTSIGN_TREND_KINDS; kind++) {
			ntsign_html_cell_count(f, trend->sessions[i][kind]);
		}
	}
	ntsign_html_table_close(f);
	fprintf(f, "</details>\n");
}

void ntsign_report_html_trend(FILE *f, const struct ntsign_trend *trend)
{
	fprintf(f, "<section id=\"trend-section\" "
		"aria-labelledby=\"trend-heading\">\n"
		"<h2 id=\"trend-heading\">Sessions over time</h2>\n");
	if (trend->count == 0) {
		fprintf(f, "<p>No session setups.</p>\n</section>\n");
		return;
	}
	fprintf(f, "<p>Each bar stands for <span data-key=\"seconds\" "
		"data-value=\"%" PRId64 "\">", trend->width);
	write_width(f, trend->width);
	fprintf(f, "</span>; times are UTC.</p>\n");
	write_legend(f);
	write_drawing(f, trend);
	write_table(f, trend);
	fprintf(f, "</section>\n");
}
