-- The wording of a tariff that prices what starts at an instant: the last saved of those that have come into force.
-- It stands here alone, because what a driver is shown and what an order pays must not be found in two ways.
create function tariff_version_in_force(tariff uuid, at timestamptz) returns uuid
    language sql stable parallel safe strict
    return (
        select v.id from tariff_versions v where v.tariff_id = tariff and v.effective_at <= at
        order by v.number desc limit 1
    );
