/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts that grow, and numbers and times as people read them; below all output formats of the
 * report. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/wording.h"

static bool prose_reserve(struct prose *prose, size_t more)
{
    size_t need = prose->length + more + 1;
    if (need <= prose->capacity)
        return true;
    size_t want = prose->capacity * 2 > need ? prose->capacity * 2 : need + 256;
    char *text = memory_resize(prose->text, want);
    if (!text) {
        prose->failed = true;
        return false;
    }
    prose->text = text;
    prose->capacity = want;
    return true;
}

void prose_add(struct prose *prose, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0 && prose_reserve(prose, (size_t)length)) {
        vsnprintf(prose->text + prose->length, (size_t)length + 1, format, again);
        prose->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void prose_clear(struct prose *prose)
{
    prose->length = 0;
    if (prose->text)
        prose->text[0] = '\0';
}

void prose_free(struct prose *prose)
{
    memory_free(prose->text);
    *prose = (struct prose){0};
}

/* Backslashes stay as they are: events have them where something was escaped already. */
void wording_safe(struct prose *out, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\\");
        struct reader piece = reader_of(text, length);
        while (piece.left) {
            char safe[256];
            size_t count = text_escape(&piece, NULL, safe, sizeof safe);
            prose_add(out, "%.*s", (int)count, safe);
        }
        text += length;
        if (*text == '\\') {
            prose_add(out, "\\");
            text++;
        }
    }
}

struct small_text wording_number(uint64_t number)
{
    struct small_text out;
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    char *to = out.text;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

struct small_text wording_range(struct range range)
{
    struct small_text low = wording_number(range.low);
    if (range.low == range.high)
        return low;
    struct small_text out;
    struct small_text high = wording_number(range.high);
    snprintf(out.text, sizeof out.text, "%.22s-%.22s", low.text, high.text);
    return out;
}

struct small_text wording_percent(uint64_t part, uint64_t of)
{
    struct small_text out = {""};
    if (!of)
        return out;
    double percent = 100.0 * (double)part / (double)of;
    /* What is not nothing is not rounded to 0, what is not all not to 100. */
    if (part && percent < 0.01)
        return (struct small_text){"< 0.01 %"};
    if (part < of && percent >= 99.95)
        return percent >= 99.995 ? (struct small_text){"> 99.99 %"}
                                 : (snprintf(out.text, sizeof out.text, "%.2f %%", percent), out);
    snprintf(out.text, sizeof out.text, percent < 1 && part ? "%.2f %%" : "%.1f %%", percent);
    return out;
}

static struct small_text formatted(int64_t seconds, const char *format)
{
    struct small_text out;
    time_t when = (time_t)seconds;
    struct tm utc = {0};
    gmtime_r(&when, &utc);
    if (!strftime(out.text, sizeof out.text, format, &utc))
        out.text[0] = '\0';
    return out;
}

struct small_text wording_minute(int64_t seconds)
{
    return formatted(seconds, "%Y-%m-%d %H:%M");
}

struct small_text wording_date(int64_t seconds)
{
    return formatted(seconds, "%Y-%m-%d");
}

const char *wording_weekday(int64_t seconds)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    int64_t day = aggregate_day(seconds);
    return days[(day - figures_monday(day)) / 86400];
}

struct small_text wording_when(const struct figures *figures, int64_t seconds)
{
    if (figures->day_count > 7)
        return wording_date(seconds);
    struct small_text out, clock = formatted(seconds, "%H:%M");
    snprintf(out.text, sizeof out.text, "%s %.8s", wording_weekday(seconds), clock.text);
    return out;
}

struct small_text wording_duration(uint64_t seconds)
{
    struct small_text out;
    unsigned long long minutes = seconds / 60;
    if (minutes >= 48 * 60)
        snprintf(out.text, sizeof out.text, "%llu d %llu h", minutes / 1440, minutes / 60 % 24);
    else if (minutes >= 60)
        snprintf(out.text, sizeof out.text, "%llu h %llu min", minutes / 60, minutes % 60);
    else
        snprintf(out.text, sizeof out.text, "%llu min", minutes);
    return out;
}
