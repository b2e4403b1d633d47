# Blind sensors: name, seconds since its last stats event, seconds without mail, packets dropped and events lost.
# --argjson now "$(date +%s)"
[ inputs | select(.event_type == "stats") ]
| group_by(.sensor.name)[] | max_by(.time)
| { name: (.sensor.name // "-"), age: ($now - (.time[:19] + "Z" | fromdateiso8601)),
    quiet: .quiet_s, drops: ((.drops.kernel // 0) + (.drops.interface // 0) + .counters.events_lost) }
| select(.age > 900 or .quiet == null or .quiet > 900 or .drops > 0)
| [ .name, .age, .quiet // "-", .drops ] | @tsv
